#include "bridge/server_config.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "bridge/errors.hpp"
#include "bridge/folders.hpp"
#include "bridge/generated/limits.hpp"
#include "bridge/platform.hpp"

namespace gvm::bridge {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// The contents of server.json.
struct ServerFile {
  std::vector<std::string> command;  // empty: none is named
  Variables environment;             // the server's own variables, whatever the host has
};

/// Empty where there is no file. Throws Error (server_start_failed): it has neither field.
ServerFile read_server_file(const fs::path& file) {
  ServerFile read;
  std::error_code missing;
  if (!fs::exists(file, missing)) return read;
  std::ifstream stream(file);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  try {
    const Json plain = Json::parse(text);
    if (plain.contains("command")) plain.at("command").get_to(read.command);
    if (plain.contains("env")) plain.at("env").get_to(read.environment);
    if (!read.command.empty() || !(plain.contains("command") || read.environment.empty())) {
      return read;
    }
  } catch (const Json::exception&) {  // reported below, as is an empty command
  }
  throw Error(code::kServerStartFailed, file.u8string() + " names no server command.",
              R"(Write {"command": ["/path/to/python", "-m", "gvm_server", "serve"]} into it.)");
}

Variables variables() {
  Variables all;
  for (const std::string& text : environment()) {
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) all[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return all;
}

}  // namespace

fs::path server_file() {
  const std::string base = variable("XDG_CONFIG_HOME");
  const std::string home = home_folder();
  const fs::path own = fs::u8path(home.empty() ? "/" : home) / ".config";
  return (base.empty() ? own : fs::u8path(base)) / "gvm" / "server.json";
}

std::vector<std::string> server_command() {
  if (std::vector<std::string> words = split_words(variable("GVM_SERVER")); !words.empty()) {
    return words;
  }
  const fs::path configured = server_file();
  ServerFile file = read_server_file(configured);
  if (!file.command.empty()) return file.command;
  throw Error(
      code::kServerStartFailed,
      "No GVM server is named: " + configured.u8string() + " names none and GVM_SERVER is not set.",
      "Run `gvm install ofx`, which writes that file.");
}

std::vector<std::string> server_environment() {
  Variables kept = scrubbed(variables(), read_server_file(server_file()).environment);
  kept["GVM_RUNTIME_DIR"] = runtime_path().u8string();
  std::vector<std::string> entries;
  for (const auto& [name, text] : kept) entries.push_back(name + "=" + text);
  return entries;
}

Variables scrubbed(const Variables& environment, const Variables& own) {
  Variables kept;
  for (const auto& [name, text] : environment) {
    const std::string& word = name;  // a structured binding cannot be captured in C++17
    const bool by_name = std::find(kScrubbed.begin(), kScrubbed.end(), word) != kScrubbed.end();
    const bool by_prefix =
        std::any_of(kScrubbedPrefixes.begin(), kScrubbedPrefixes.end(),
                    [&](const char* begin) { return word.rfind(begin, 0) == 0; });
    if (!by_name && !by_prefix) kept[name] = text;
  }
  for (const auto& [name, text] : own) kept[name] = text;
  return kept;
}

std::vector<std::string> split_words(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool inside = false;
  char quote = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char letter = line[at];
    const bool blank = letter == ' ' || letter == '\t' || letter == '\n';
    if (!quote && blank) {
      if (inside) words.push_back(word);
      word.clear();
      inside = false;
      continue;
    }
    inside = true;
    if (letter == quote) {
      quote = 0;
    } else if (!quote && (letter == '\'' || letter == '"')) {
      quote = letter;
    } else if (backslash_escapes() && letter == '\\' && quote != '\'' && at + 1 < line.size()) {
      word += line[++at];
    } else {
      word += letter;
    }
  }
  if (inside) words.push_back(word);
  return words;
}

}  // namespace gvm::bridge
