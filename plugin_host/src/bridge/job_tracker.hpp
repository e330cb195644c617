// Finds or makes the alphas of renders: one job for the windows that several renders need at once.
//
// - A render gives plain values and a reader of its plate, which is called on its own thread only.
// - A finished alpha is found by what it was made from, whichever instance asked for it.
// - Every wait polls the host's abort and has a deadline.
// - While no render waits there is no thread and no socket, so nothing is to be joined when a host
//   unloads the plug-in.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "bridge/alpha_cache.hpp"
#include "bridge/alpha_keys.hpp"
#include "bridge/cancel_token.hpp"
#include "bridge/frame_request.hpp"

namespace gvm::bridge {

class JobTracker {
 public:
  explicit JobTracker(std::size_t cache_bytes) : cache_(cache_bytes) {}

  /// The alpha of a frame of a host's clip.
  /// Throws Error; Aborted where the host cancels; what the reader throws.
  AlphaPtr alpha(const MatteOptions& options, const HostClip& clip, std::int64_t frame,
                 PlateReader& reader, const CancelToken& token);

  /// The alpha of a frame of a plate on disk, or of the one that is shown. Throws Error; Aborted.
  AlphaPtr alpha(const MatteOptions& options, const FileFrame& plate, const CancelToken& token);

  /// Forgets finished alphas of this process, all or a clip's; the server's cache stays.
  void clear();
  void forget(const Hash& clip);

 private:
  struct Job;
  struct Lookup;

  Lookup find_or_open(const AlphaKeys& keys, bool foreground);
  std::shared_ptr<Job> find_running(const AlphaKeys& keys, bool by_windows) const;
  AlphaPtr run(const std::shared_ptr<Job>& job, const MatteOptions& options, const HostClip& clip,
               const AlphaKeys& keys, PlateReader& reader, const CancelToken& token);
  void close(const std::shared_ptr<Job>& job);

  std::int64_t search_offset(const FileFrame& plate);

  AlphaCache cache_;
  std::mutex mutex_;
  // By plate: how far from the frame that was asked for the latest search found the picture. The
  // next search begins there.
  std::map<std::string, std::int64_t> search_offsets_;
  // By the key of each alpha that a job will give, and of each window that it makes for it.
  std::map<Hash, std::shared_ptr<Job>> running_;
  std::set<Hash> inferred_;  // windows that were made for this process, whatever the knobs
};

/// The job tracker of this process, made when it is first asked for.
std::shared_ptr<JobTracker> job_tracker();

/// Gives the process's job tracker up with all its alphas; renders that are running keep theirs.
void close_job_tracker();

}  // namespace gvm::bridge
