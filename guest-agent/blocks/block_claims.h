// Who is changing a block: of two that take one offline at the same time each would believe it was the one,
// and one of them brings it online again. Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <set>

namespace ballast::agent {

class BlockClaims {
 public:
  // Until it ends.
  class Claim {
   public:
    ~Claim();
    Claim(Claim&& other) noexcept;
    Claim& operator=(Claim&&) = delete;

   private:
    friend class BlockClaims;
    Claim(BlockClaims& claims, int64_t number) : claims_(&claims), number_(number) {}
    BlockClaims* claims_;  // null: moved from
    int64_t number_;
  };

  // Absent: it is somebody else's. This must outlive it.
  [[nodiscard]] std::optional<Claim> Take(int64_t number);

 private:
  std::mutex mutex_;
  std::set<int64_t> taken_;
};

}  // namespace ballast::agent
