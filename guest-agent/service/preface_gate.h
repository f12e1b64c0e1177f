// Tells HTTP/2 clients from everything else before gRPC sees a connection: gRPC allocates for each descriptor
// it is given and would wait long for one that stays silent.
#pragma once

#include <string_view>

namespace ballast::agent {

enum class PrefaceVerdict {
  kWait,    // right so far, not yet complete
  kAdmit,   // the whole client preface came
  kRefuse,  // not HTTP/2, or the peer is gone
};

// Of the first bytes a client sent.
[[nodiscard]] PrefaceVerdict JudgePreface(std::string_view bytes);

// Looks at what a non-blocking socket received and leaves it there. Where the transport cannot do that
// (EOPNOTSUPP) the connection is admitted unseen.
[[nodiscard]] PrefaceVerdict PeekPreface(int fd);

}  // namespace ballast::agent
