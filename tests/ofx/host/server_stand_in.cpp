// A Windows process in a Linux server's place, for hosts under Wine: server_stand_in SCRIPT
//
// `server_stand_in false` and `server_stand_in sleep SECONDS` do what these programs do. Else it
// runs the shell script with its own number and start time. The script starts a Linux server, and
// writes connection.json with these two, which a host under Wine can ask for. Ends when the Linux
// process ends, which linux.json names.
#include <windows.h>
// After it, as its own header wants.
#include <shellapi.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr DWORD kPollMs = 20;
constexpr int kPolls = 3000;

std::int64_t started() {
  FILETIME created{}, exited{}, kernel{}, used{};
  GetProcessTimes(GetCurrentProcess(), &created, &exited, &kernel, &used);
  return static_cast<std::int64_t>(created.dwHighDateTime) << 32 | created.dwLowDateTime;
}

std::wstring variable(const wchar_t* name) {
  std::wstring text(4096, L'\0');
  text.resize(GetEnvironmentVariableW(name, text.data(), static_cast<DWORD>(text.size())));
  return text;
}

/// Whether a Linux process lives; a zombie does not (proc(5)).
bool lives(const std::string& process) {
  std::ifstream stream(fs::path("Z:\\proc\\" + process + "\\stat"));
  std::string text;
  std::getline(stream, text);
  const std::size_t name = text.rfind(") ");
  return name != std::string::npos && text.compare(name, 3, ") Z") != 0;
}

/// The Linux server's connection, once a living process has written it; null before.
Json connection(const fs::path& file) {
  std::ifstream stream(file);
  Json said = Json::parse(stream, nullptr, false);
  const bool whole = said.is_object() && said.contains("pid");
  return whole && lives(said.at("pid").dump()) ? said : Json();
}

}  // namespace

int main() {
  const fs::path folder = fs::absolute(variable(L"GVM_RUNTIME_DIR"));
  int count = 0;
  wchar_t** words = CommandLineToArgvW(GetCommandLineW(), &count);
  if (count < 2) return 2;
  // Of a Linux program Wine gives no handle to wait for.
  if (std::wstring(words[1]) == L"false") return 1;
  if (std::wstring(words[1]) == L"sleep" && count == 3) {
    Sleep(1000 * static_cast<DWORD>(std::stoul(words[2])));
    return 0;
  }
  const std::wstring own = std::to_wstring(GetCurrentProcessId()) + L" " + std::to_wstring(started());
  std::wstring line = L"\"Z:\\bin\\sh\" \"" + std::wstring(words[1]) + L"\" " + own;
  STARTUPINFOW how{};
  how.cb = sizeof how;
  how.dwFlags = STARTF_USESTDHANDLES;
  how.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
  how.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
  how.hStdError = GetStdHandle(STD_ERROR_HANDLE);
  PROCESS_INFORMATION made{};
  if (!CreateProcessW(nullptr, line.data(), nullptr, nullptr, TRUE, 0, nullptr, nullptr, &how,
                      &made)) {
    std::cerr << "The Linux server cannot be started: Windows error " << GetLastError() << "\n";
    return 1;
  }
  Json said;
  for (int poll = 0; said.is_null() && poll < kPolls; ++poll, Sleep(kPollMs)) {
    said = connection(folder / "linux.json");
  }
  if (said.is_null()) return 1;
  const std::string process = said.at("pid").dump();
  while (lives(process)) Sleep(kPollMs);
  return 0;
}
