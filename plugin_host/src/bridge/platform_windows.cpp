// Windows 10 and later. Names that end in W take UTF-16; the bridge's texts are UTF-8.
#include <winsock2.h>
// After it, as its own header wants.
#include <windows.h>
// After that.
#include <aclapi.h>
#include <bcrypt.h>
#include <sddl.h>

#include <algorithm>
#include <array>
#include <cwchar>
#include <memory>

#include "bridge/errors.hpp"
#include "bridge/platform.hpp"
#include "bridge/text.hpp"

namespace gvm::bridge {
namespace {

namespace fs = std::filesystem;

constexpr DWORD kShareAll = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
constexpr DWORD kFirstException = 0xC0000000;          // exit codes from here on: ntstatus.h
constexpr std::int64_t kTicksPerSecond = 10'000'000;  // of a FILETIME

struct Closer {
  void operator()(HANDLE handle) const { CloseHandle(handle); }
};
using Handle = std::unique_ptr<void, Closer>;

struct LocalFreer {
  void operator()(void* memory) const { LocalFree(memory); }
};
using Local = std::unique_ptr<void, LocalFreer>;

// Not by std::filesystem, which throws at half of a surrogate pair, as a variable may have.
std::wstring wide(const std::string& text) {
  const int size = static_cast<int>(text.size());
  const int count = MultiByteToWideChar(CP_UTF8, 0, text.data(), size, nullptr, 0);
  std::wstring made(static_cast<std::size_t>(count), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, text.data(), size, made.data(), count);
  return made;
}

std::string narrow(const std::wstring& text) {
  const int size = static_cast<int>(text.size());
  const int count = WideCharToMultiByte(CP_UTF8, 0, text.data(), size, nullptr, 0, nullptr, nullptr);
  std::string made(static_cast<std::size_t>(count), '\0');
  WideCharToMultiByte(CP_UTF8, 0, text.data(), size, made.data(), count, nullptr, nullptr);
  return made;
}

std::string reason(DWORD number) {
  std::array<wchar_t, 512> text{};
  const DWORD count =
      FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, nullptr, number,
                     0, text.data(), static_cast<DWORD>(text.size()), nullptr);
  std::wstring said(text.data(), count);
  while (!said.empty() && (said.back() < L' ' || said.back() == L' ' || said.back() == L'.')) {
    said.pop_back();
  }
  return said.empty() ? "Windows error " + std::to_string(number) : narrow(said);
}

SystemError refused(DWORD number) {
  return {reason(number), number == ERROR_DISK_FULL || number == ERROR_HANDLE_DISK_FULL};
}

Handle handle_of(HANDLE handle) { return Handle(handle == INVALID_HANDLE_VALUE ? nullptr : handle); }

std::int64_t ticks(const FILETIME& time) {
  return static_cast<std::int64_t>(time.dwHighDateTime) << 32 | time.dwLowDateTime;
}

/// This user's security identifier.
std::vector<std::byte> user() {
  HANDLE opened = nullptr;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &opened)) throw refused(GetLastError());
  const Handle token = handle_of(opened);
  DWORD size = 0;
  GetTokenInformation(token.get(), TokenUser, nullptr, 0, &size);
  std::vector<std::byte> bytes(size);
  if (!GetTokenInformation(token.get(), TokenUser, bytes.data(), size, &size)) {
    throw refused(GetLastError());
  }
  return bytes;
}

PSID sid_of(const std::vector<std::byte>& user) {
  return reinterpret_cast<const TOKEN_USER*>(user.data())->User.Sid;
}

/// Whether an identifier is this user's, or the system's or its administrators', who reach
/// everything anyway.
bool is_trusted(PSID sid, PSID own) {
  return EqualSid(sid, own) || IsWellKnownSid(sid, WinLocalSystemSid) ||
         IsWellKnownSid(sid, WinBuiltinAdministratorsSid);
}

/// Whether an access list lets nobody in but them.
bool is_closed(PACL list, PSID own) {
  if (!list) return false;  // no list: everybody
  for (DWORD index = 0; index < list->AceCount; ++index) {
    void* entry = nullptr;
    if (!GetAce(list, index, &entry)) return false;
    const auto* header = static_cast<const ACE_HEADER*>(entry);
    if (header->AceType == ACCESS_DENIED_ACE_TYPE || header->AceFlags & INHERIT_ONLY_ACE) continue;
    if (header->AceType != ACCESS_ALLOWED_ACE_TYPE) return false;
    auto* allowed = static_cast<ACCESS_ALLOWED_ACE*>(entry);
    PSID sid = &allowed->SidStart;
    if (allowed->Mask && !is_trusted(sid, own) && !IsWellKnownSid(sid, WinCreatorOwnerRightsSid)) {
      return false;
    }
  }
  return true;
}

/// As gvm_client/platform.py checks it.
void check_private(const fs::path& path, HANDLE file) {
  PSID owner = nullptr;
  PACL list = nullptr;
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  const DWORD number =
      GetSecurityInfo(file, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                      &owner, nullptr, &list, nullptr, &descriptor);
  const Local freed(descriptor);
  if (number != ERROR_SUCCESS) {
    throw unsafe_path(path, "does not say who may reach it (" + reason(number) + ")",
                      "Set GVM_RUNTIME_DIR to a folder of your own on a local NTFS disk.");
  }
  const std::vector<std::byte> me = user();
  if (!is_trusted(owner, sid_of(me))) {
    throw unsafe_path(path, "belongs to another user",
                      "Set GVM_RUNTIME_DIR to a folder of your own.");
  }
  if (!is_closed(list, sid_of(me))) {
    throw unsafe_path(path, "is open to other users",
                      "Close it with `icacls \"" + path.u8string() +
                          "\" /inheritance:r /grant:r \"%USERNAME%:(OI)(CI)F\"`.");
  }
}

/// Opens what a path names, never what a link there leads to.
Handle open_itself(const fs::path& path, DWORD access) {
  return handle_of(CreateFileW(path.c_str(), access, kShareAll, nullptr, OPEN_EXISTING,
                               FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS, nullptr));
}

bool is_link(HANDLE file) {
  BY_HANDLE_FILE_INFORMATION facts{};
  return !GetFileInformationByHandle(file, &facts) ||
         facts.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT;
}

bool is_folder(HANDLE file) {
  BY_HANDLE_FILE_INFORMATION facts{};
  return GetFileInformationByHandle(file, &facts) &&
         facts.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY;
}

/// An access list for this user alone, which what is made within inherits.
class Private {
 public:
  Private() {
    LPWSTR text = nullptr;
    const std::vector<std::byte> me = user();
    if (!ConvertSidToStringSidW(sid_of(me), &text)) throw refused(GetLastError());
    const Local freed(text);
    const std::wstring rule = L"D:P(A;OICI;FA;;;" + std::wstring(text) + L")";
    PSECURITY_DESCRIPTOR made = nullptr;
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(rule.c_str(), SDDL_REVISION_1, &made,
                                                              nullptr)) {
      throw refused(GetLastError());
    }
    descriptor_.reset(made);
    attributes_ = {sizeof attributes_, made, FALSE};
  }

  SECURITY_ATTRIBUTES* get() { return &attributes_; }

 private:
  Local descriptor_;
  SECURITY_ATTRIBUTES attributes_{};
};

/// A word as CommandLineToArgvW takes it apart again.
std::wstring quoted(const std::wstring& word) {
  if (!word.empty() && word.find_first_of(L" \t\n\v\"") == std::wstring::npos) return word;
  std::wstring text = L"\"";
  std::size_t slashes = 0;
  for (const wchar_t letter : word) {
    if (letter == L'"') text.append(slashes + 1, L'\\');
    slashes = letter == L'\\' ? slashes + 1 : 0;
    text += letter;
  }
  return text.append(slashes, L'\\') + L"\"";
}

std::wstring command_line(const std::vector<std::string>& words) {
  std::wstring line;
  for (const std::string& word : words) {
    line += line.empty() ? L"" : L" ";
    line += quoted(wide(word));
  }
  return line;
}

/// The variables as CreateProcessW takes them: sorted, each ends with a zero, the last with two.
std::wstring block_of(const std::vector<std::string>& variables) {
  std::vector<std::wstring> entries;
  for (const std::string& entry : variables) entries.push_back(wide(entry));
  std::sort(entries.begin(), entries.end(), [](const std::wstring& one, const std::wstring& other) {
    return CompareStringOrdinal(one.c_str(), -1, other.c_str(), -1, TRUE) == CSTR_LESS_THAN;
  });
  std::wstring block;
  for (const std::wstring& entry : entries) (block += entry) += L'\0';
  return block + L'\0';
}

/// The one list of files that a child inherits.
class Inherited {
 public:
  explicit Inherited(std::vector<HANDLE> files) : files_(std::move(files)) {
    SIZE_T size = 0;
    InitializeProcThreadAttributeList(nullptr, 1, 0, &size);
    memory_.resize(size);
    if (!InitializeProcThreadAttributeList(get(), 1, 0, &size)) throw refused(GetLastError());
    if (!UpdateProcThreadAttribute(get(), 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, files_.data(),
                                   files_.size() * sizeof(HANDLE), nullptr, nullptr)) {
      const DWORD number = GetLastError();
      DeleteProcThreadAttributeList(get());
      throw refused(number);
    }
  }
  Inherited(const Inherited&) = delete;
  Inherited& operator=(const Inherited&) = delete;
  ~Inherited() { DeleteProcThreadAttributeList(get()); }

  LPPROC_THREAD_ATTRIBUTE_LIST get() {
    return reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory_.data());
  }

 private:
  std::vector<HANDLE> files_;
  std::vector<std::byte> memory_;
};

Handle open_inheritable(const wchar_t* path, DWORD access, DWORD how) {
  SECURITY_ATTRIBUTES inheritable{sizeof inheritable, nullptr, TRUE};
  Handle file = handle_of(CreateFileW(path, access, kShareAll, &inheritable, how,
                                      FILE_ATTRIBUTE_NORMAL, nullptr));
  if (!file) throw refused(GetLastError());
  return file;
}

}  // namespace

std::int64_t process_id() { return GetCurrentProcessId(); }

bool is_alive(std::int64_t pid, std::int64_t started) {
  const Handle process = handle_of(OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE,
                                               FALSE, static_cast<DWORD>(pid)));
  // Another user's process lives as well as ours.
  if (!process) return GetLastError() == ERROR_ACCESS_DENIED;
  if (WaitForSingleObject(process.get(), 0) != WAIT_TIMEOUT) return false;
  FILETIME created{}, exited{}, kernel{}, used{};
  if (!GetProcessTimes(process.get(), &created, &exited, &kernel, &used)) return true;
  return started == 0 || started == ticks(created);
}

Child spawn(const std::vector<std::string>& words, const std::vector<std::string>& environment,
            const fs::path& log) {
  const Handle output = open_inheritable(log.c_str(), FILE_APPEND_DATA | SYNCHRONIZE, OPEN_ALWAYS);
  const Handle input = open_inheritable(L"NUL", GENERIC_READ, OPEN_EXISTING);
  Inherited files({output.get(), input.get()});
  STARTUPINFOEXW how{};
  how.StartupInfo.cb = sizeof how;
  how.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
  how.StartupInfo.hStdInput = input.get();
  how.StartupInfo.hStdOutput = how.StartupInfo.hStdError = output.get();
  how.lpAttributeList = files.get();
  std::wstring line = command_line(words);
  std::wstring block = block_of(environment);
  PROCESS_INFORMATION made{};
  const auto create = [&](DWORD flags) {
    return CreateProcessW(nullptr, line.data(), nullptr, nullptr, TRUE,
                          flags | EXTENDED_STARTUPINFO_PRESENT | CREATE_UNICODE_ENVIRONMENT |
                              CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP,
                          block.data(), nullptr, &how.StartupInfo, &made);
  };
  // A render farm's job object ends what is in it with the task; it may forbid leaving.
  if (!create(CREATE_BREAKAWAY_FROM_JOB) && !create(0)) throw refused(GetLastError());
  CloseHandle(made.hThread);
  return reinterpret_cast<Child>(made.hProcess);
}

ChildState state_of(Child child) {
  const auto process = reinterpret_cast<HANDLE>(child);
  if (WaitForSingleObject(process, 0) == WAIT_TIMEOUT) return ChildState::kRuns;
  DWORD code = 0;
  GetExitCodeProcess(process, &code);
  CloseHandle(process);
  return code >= kFirstException ? ChildState::kKilled : ChildState::kEnded;
}

void end_child(Child child) { TerminateProcess(reinterpret_cast<HANDLE>(child), 1); }

std::string variable(const char* name) {
  const std::wstring wanted = wide(name);
  std::wstring text(256, L'\0');
  for (;;) {
    const DWORD count =
        GetEnvironmentVariableW(wanted.c_str(), text.data(), static_cast<DWORD>(text.size()));
    if (count < text.size()) {
      text.resize(count);
      return narrow(text);
    }
    text.resize(count);
  }
}

std::vector<std::string> environment() {
  std::vector<std::string> all;
  wchar_t* block = GetEnvironmentStringsW();
  for (const wchar_t* entry = block; entry && *entry; entry += std::wcslen(entry) + 1) {
    all.push_back(narrow(entry));
  }
  if (block) FreeEnvironmentStringsW(block);
  return all;
}

bool backslash_escapes() { return false; }

std::string home_folder() { return variable("USERPROFILE"); }

fs::path default_runtime_folder() {
  fs::path folder = fs::u8path(home_folder()) / "AppData" / "Local" / "Temp";
  for (const char* name : {"TMP", "TEMP", "TMPDIR"}) {  // Python's tempfile, the last one first
    if (const std::string chosen = variable(name); !chosen.empty()) folder = fs::u8path(chosen);
  }
  return folder / "gvm-0";  // the folder is the user's own: no number is needed
}

std::int64_t file_mask() { return 0; }

void make_private_dir(const fs::path& path) {
  std::error_code ignored;  // what is wrong is reported below
  fs::create_directories(path.parent_path(), ignored);
  const auto impossible = [&](const std::string& why) {
    return unsafe_path(path, "cannot be made (" + why + ")",
                       "Set GVM_RUNTIME_DIR to a folder of your own on a local disk.");
  };
  try {
    if (!CreateDirectoryW(path.c_str(), Private().get()) &&
        GetLastError() != ERROR_ALREADY_EXISTS) {
      throw impossible(reason(GetLastError()));
    }
  } catch (const SystemError& error) {
    throw impossible(error.what());
  }
  const Handle folder = open_itself(path, READ_CONTROL | FILE_READ_ATTRIBUTES);
  if (!folder) throw impossible(reason(GetLastError()));
  if (is_link(folder.get()) || !is_folder(folder.get())) {
    throw unsafe_path(path, "is no folder", "Delete it, or set GVM_RUNTIME_DIR to a real folder.");
  }
  check_private(path, folder.get());
}

std::optional<std::string> read_private(const fs::path& path, std::size_t most) {
  const Handle file = open_itself(path, GENERIC_READ);
  const DWORD number = GetLastError();
  if (!file && (number == ERROR_FILE_NOT_FOUND || number == ERROR_PATH_NOT_FOUND)) {
    return std::nullopt;
  }
  if (!file || is_link(file.get()) || is_folder(file.get())) {
    throw unsafe_path(path, "cannot be opened", "Delete it, then try again.");
  }
  check_private(path, file.get());
  std::string text(most, '\0');
  DWORD count = 0;
  if (!ReadFile(file.get(), text.data(), static_cast<DWORD>(most), &count, nullptr)) {
    throw unsafe_path(path, "cannot be read", "Delete it, then try again.");
  }
  text.resize(count);
  return text;
}

std::optional<FileFacts> facts_of(const fs::path& path) {
  const Handle file = handle_of(CreateFileW(path.c_str(), FILE_READ_ATTRIBUTES, kShareAll, nullptr,
                                            OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr));
  BY_HANDLE_FILE_INFORMATION facts{};
  if (!file || !GetFileInformationByHandle(file.get(), &facts)) return std::nullopt;
  const std::int64_t changed = ticks(facts.ftLastWriteTime);
  return FileFacts{!(facts.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY),
                   static_cast<std::int64_t>(facts.nFileSizeHigh) << 32 | facts.nFileSizeLow,
                   static_cast<std::uint64_t>(facts.nFileIndexHigh) << 32 | facts.nFileIndexLow,
                   changed / kTicksPerSecond, changed % kTicksPerSecond * 100};
}

std::byte* map_new(const fs::path& path, std::size_t nbytes) {
  Handle file = handle_of(CreateFileW(path.c_str(), GENERIC_READ | GENERIC_WRITE, kShareAll,
                                      nullptr, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, nullptr));
  if (!file) throw refused(GetLastError());
  // A mapping that is larger than its file makes the file grow, and takes the space.
  const Handle mapping =
      handle_of(CreateFileMappingW(file.get(), nullptr, PAGE_READWRITE,
                                   static_cast<DWORD>(static_cast<std::uint64_t>(nbytes) >> 32),
                                   static_cast<DWORD>(nbytes), nullptr));
  void* bytes = mapping ? MapViewOfFile(mapping.get(), FILE_MAP_WRITE, 0, 0, nbytes) : nullptr;
  if (!bytes) {
    const DWORD number = GetLastError();
    file.reset();
    remove_file(path);
    throw refused(number);
  }
  return static_cast<std::byte*>(bytes);
}

void unmap(std::byte* bytes, std::size_t) { UnmapViewOfFile(bytes); }

void remove_file(const fs::path& path) { DeleteFileW(path.c_str()); }

bool read_at(const fs::path& path, std::int64_t offset, void* to, std::size_t nbytes) {
  const Handle file = open_itself(path, GENERIC_READ);
  if (!file) throw refused(GetLastError());
  if (is_link(file.get())) throw refused(ERROR_CANT_ACCESS_FILE);
  auto* next = static_cast<char*>(to);
  auto at = static_cast<std::uint64_t>(offset);
  for (std::size_t left = nbytes; left > 0;) {
    OVERLAPPED where{};
    where.Offset = static_cast<DWORD>(at);
    where.OffsetHigh = static_cast<DWORD>(at >> 32);
    const auto most = static_cast<DWORD>(std::min<std::size_t>(left, std::size_t{1} << 30));
    DWORD count = 0;
    if (!ReadFile(file.get(), next, most, &count, &where) || count == 0) return false;
    next += count;
    at += count;
    left -= count;
  }
  return true;
}

void* opengl_function(const char* name) {
  for (HMODULE module : {GetModuleHandleW(nullptr), GetModuleHandleW(L"opengl32.dll")}) {
    if (void* found = module ? reinterpret_cast<void*>(GetProcAddress(module, name)) : nullptr) {
      return found;
    }
  }
  return nullptr;
}

std::string random_hex(std::size_t count) {
  std::string bytes(count, '\0');
  if (BCryptGenRandom(nullptr, reinterpret_cast<PUCHAR>(bytes.data()), static_cast<ULONG>(count),
                      BCRYPT_USE_SYSTEM_PREFERRED_RNG) != 0) {
    throw Error(code::kOutputUnwritable, "The system gives no random numbers.");
  }
  return hexadecimal(bytes);
}

}  // namespace gvm::bridge
