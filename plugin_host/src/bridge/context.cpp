#include "bridge/context.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bridge/hash.hpp"
#include "bridge/platform.hpp"

namespace gvm::bridge {
namespace {

namespace fs = std::filesystem;

constexpr const char* kArchive = "PK";  // how a zip file begins

std::string whole(const std::string& path) {
  return fs::absolute(fs::u8path(path)).lexically_normal().u8string();
}

/// A path whose first part is `~` in the user's home folder.
std::string expanded(const std::string& path) {
  const bool home = path == "~" || path.rfind("~/", 0) == 0;
  return home ? home_folder() + path.substr(1) : path;
}

/// The references to variables ($A, ${A}, %A%) in a text, one on each line.
std::string references_in(const std::string& text) {
  std::set<std::string> found;
  const auto is_name = [](char letter) {
    return ('0' <= letter && letter <= '9') || ('A' <= letter && letter <= 'Z') ||
           ('a' <= letter && letter <= 'z') || letter == '_';
  };
  for (std::size_t at = text.find_first_of("$%"); at != std::string::npos;) {
    std::size_t end = at + 1;
    if (end < text.size() && text[end] == '{') ++end;
    const std::size_t name = end;
    while (end < text.size() && is_name(text[end])) ++end;
    const bool named = end > name;
    if (named && end < text.size() && (text[end] == '}' || text[end] == '%')) ++end;
    if (named) found.insert(text.substr(at, end - at));
    at = text.find_first_of("$%", named ? end : at + 1);
  }
  std::string references;
  for (const std::string& one : found) references += one + "\n";
  return references;
}

std::string read_references(const std::string& path) {
  std::ifstream file(fs::u8path(path), std::ios::binary);
  std::string text;
  std::error_code failed;
  const std::uintmax_t size = fs::file_size(fs::u8path(path), failed);
  if (!file || failed || size > kMaxConfigBytes) return "";
  text.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  return text.rfind(kArchive, 0) == 0 ? "" : references_in(text);
}

/// A file's references; it is read again when its version changes.
std::string references_of(const std::string& path) {
  static std::mutex mutex;
  static std::map<std::string, std::pair<Hash, std::string>> known;
  const Hash version = Hasher().file(path).end();
  const std::lock_guard lock(mutex);
  auto& [seen, references] = known[path];
  if (!(seen == version)) {
    references = read_references(path);
    seen = version;
  }
  return references;
}

/// The variables that a configuration file names, as NAME=value, sorted; none where it cannot be
/// read. The text is read once for as long as the file is the same.
///
/// An `.ocioz` archive is not looked into: its variables have the configuration's own defaults.
std::vector<std::string> variables_used(const std::string& configuration) {
  if (configuration.empty() || configuration.find("://") != std::string::npos) return {};
  std::map<std::string, std::string> used;
  std::vector<std::string> unread{references_of(configuration)};
  while (!unread.empty()) {
    const std::string references = unread.back();
    unread.pop_back();
    if (references.empty()) continue;
    for (const std::string& variable : environment()) {
      const std::size_t equals = variable.find('=');
      if (equals == 0 || equals == std::string::npos) continue;
      const std::string name = variable.substr(0, equals);
      const auto names = [&](const std::string& form) {
        return references.find(form) != std::string::npos;
      };
      if (used.count(name) ||
          !(names("$" + name) || names("${" + name + "}") || names("%" + name + "%"))) {
        continue;
      }
      used[name] = variable.substr(equals + 1);
      unread.push_back(references_in(used[name]));
    }
  }
  std::vector<std::string> variables;
  for (const auto& [name, value] : used) variables.push_back(name + "=" + value);
  return variables;
}

}  // namespace

JobContext job_context() {
  JobContext context;
  const std::string ocio = variable("OCIO");
  const std::string weights = variable("GVM_WEIGHTS");
  const bool named = ocio.find("://") != std::string::npos;
  context.ocio = ocio.empty() || named ? ocio : whole(ocio);
  context.ocio_variables = variables_used(context.ocio);
  context.weights = weights.empty() ? "" : whole(expanded(weights));
  context.umask = file_mask();
  return context;
}

}  // namespace gvm::bridge
