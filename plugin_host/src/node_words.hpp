// The server's remedies name options of the command line; an artist has a node's parameters.
#pragma once

#include <string>

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
    {"--engine preview", "the node's Engine (Preview)"},
    {"--engine auto", "the node's Engine (Automatic)"},
    {"--size", "Size"},
};

/// The sentence and the remedy, as the node shows them.
inline std::string node_words(const bridge::Error& error) {
  std::string text = error.text();
  for (const auto& [option, label] : kNodeWords) {
    const std::string word = option;
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
      text.replace(at, word.size(), label);
    }
  }
  return text;
}

}  // namespace gvm::plugin
