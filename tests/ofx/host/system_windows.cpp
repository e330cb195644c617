#include <fcntl.h>
#include <io.h>
#include <windows.h>
// After it, as their own headers want.
#include <psapi.h>
#include <tlhelp32.h>

#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "system.hpp"

namespace fake {

void* open_library(const std::string& path) {
  const auto whole = std::filesystem::absolute(std::filesystem::u8path(path)).make_preferred();
  HMODULE library = LoadLibraryW(whole.c_str());
  if (!library) {
    throw std::runtime_error(whole.u8string() + " cannot be loaded: Windows error " +
                             std::to_string(GetLastError()));
  }
  return reinterpret_cast<void*>(library);
}

void* symbol_of(void* library, const char* name) {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(library), name));
}

int close_library(void* library) { return FreeLibrary(static_cast<HMODULE>(library)) ? 0 : 1; }

void seal() { throw std::runtime_error("this system cannot seal a process"); }

void open_streams() {
  _setmode(_fileno(stdin), _O_BINARY);
  _setmode(_fileno(stdout), _O_BINARY);
}

Holdings holdings() {
  DWORD handles = 0;
  GetProcessHandleCount(GetCurrentProcess(), &handles);
  PROCESS_MEMORY_COUNTERS memory{};
  GetProcessMemoryInfo(GetCurrentProcess(), &memory, sizeof memory);
  std::size_t threads = 0;
  HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
  THREADENTRY32 entry{};
  entry.dwSize = sizeof entry;
  for (BOOL more = Thread32First(all, &entry); more; more = Thread32Next(all, &entry)) {
    threads += entry.th32OwnerProcessID == GetCurrentProcessId();
  }
  CloseHandle(all);
  return {handles, threads, memory.WorkingSetSize};
}

}  // namespace fake
