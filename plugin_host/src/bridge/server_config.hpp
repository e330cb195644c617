// How a server is started: its command and its environment.
//
// The command is $GVM_SERVER, else the one in the configuration folder (`gvm/server.json`, written
// by `gvm install ofx`), which may also give it variables (`env`).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace gvm::bridge {

using Variables = std::map<std::string, std::string>;

/// Where server.json is, whether it exists or not.
std::filesystem::path server_file();

/// The words of the command that starts the server. Throws Error (server_start_failed): there is
/// none.
std::vector<std::string> server_command();

/// The server's environment, each variable as NAME=value. Throws Error (server_start_failed).
std::vector<std::string> server_environment();

/// What a server gets of a host's environment, by the table of gvm_client/server_config.py, and
/// the variables of its own over it.
Variables scrubbed(const Variables& environment, const Variables& own);

/// Words as a POSIX shell parts them: blanks, quotes, backslashes; nothing is expanded.
std::vector<std::string> split_words(const std::string& line);

}  // namespace gvm::bridge
