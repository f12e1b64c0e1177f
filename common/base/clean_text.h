// Texts that strangers chose, made fit for messages and logs: valid UTF-8 without control characters.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace ballast {

// `text` into `out`: each control character and each byte that begins no valid character becomes '?'. Returns
// how much of `out` was filled; what does not fit is left out, never half a character. Allocates nothing.
size_t CleanText(std::string_view text, std::span<char> out);

}  // namespace ballast
