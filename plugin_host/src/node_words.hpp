// The server's remedies name options of the command line; an artist has a node's parameters.
#pragma once

#include <cstddef>
#include <string>

#include "bridge/engines.hpp"
#include "bridge/errors.hpp"

namespace gvm::plugin {

/// What an option is on the node, by its label; the longer ones first.
inline constexpr struct {
  const char* option;
  const char* label;
} kNodeWords[] = {
    {"--bad-pixels black", "the node's Bad Pixels (Read as Black)"},
    {"--input-colorspace", "the node's Input Colour Space"},
    {"--first and --last", "the node's Plate File and Plate Offset"},
    {"--frames-per-window", "Window"},
    {"--size", "Size"},
};

inline void replace_all(std::string& text, const std::string& word, const std::string& label) {
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
    text.replace(at, word.size(), label);
  }
}

/// The sentence and the remedy, as the node shows them.
inline std::string node_words(const bridge::Error& error) {
  std::string text = error.text();
  for (const auto& [option, label] : kNodeWords) replace_all(text, option, label);
  for (std::size_t engine = bridge::kEngineWords.size(); engine-- > 0;) {  // variants come later
    replace_all(text, std::string("--engine ") + bridge::kEngineWords[engine],
                std::string("the node's Engine (") + bridge::kEngineLabels[engine] + ")");
  }
  return text;
}

}  // namespace gvm::plugin
