#include "guest-agent/blocks/block_claims.h"

#include <utility>

namespace ballast::agent {

BlockClaims::Claim::Claim(Claim&& other) noexcept
    : claims_(std::exchange(other.claims_, nullptr)), number_(other.number_) {}

BlockClaims::Claim::~Claim() {
  if (claims_ == nullptr) return;
  const std::lock_guard lock(claims_->mutex_);
  claims_->taken_.erase(number_);
}

std::optional<BlockClaims::Claim> BlockClaims::Take(int64_t number) {
  const std::lock_guard lock(mutex_);
  if (!taken_.insert(number).second) return std::nullopt;
  return Claim(*this, number);
}

}  // namespace ballast::agent
