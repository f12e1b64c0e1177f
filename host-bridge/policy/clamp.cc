#include "host-bridge/policy/clamp.h"

#include <algorithm>

#include "host-bridge/policy/arithmetic.h"

namespace ballast::policy {

int64_t ClampGive(const View& view, int64_t target, const PolicyConfig& config) {
  const int64_t least = AlignUp(view.least_balloon, config.alignment_bytes);
  const int64_t most = AlignDown(view.most_balloon, config.alignment_bytes);
  if (least > most) return view.target;  // floor and ceiling leave no aligned size between them
  const int64_t aligned = AlignDown(std::max<int64_t>(0, target), config.alignment_bytes);
  // A guest above its ceiling already has more than it may: then the target stays.
  return std::min(std::clamp(aligned, least, most), view.target);
}

int64_t FitBudget(const View& view, int64_t target, int64_t budget, const PolicyConfig& config) {
  if (GrantOf(view, target) <= budget) return target;
  const int64_t affordable = AlignUp(view.Position() - budget, config.alignment_bytes);
  // Rounding must not push a guest under its floor; one that is under it already takes what there is.
  if (affordable > view.most_balloon && view.Position() <= view.most_balloon) return view.target;
  return std::min(affordable, view.target);
}

int64_t GrantOf(const View& view, int64_t target) { return std::max<int64_t>(0, view.Position() - target); }

}  // namespace ballast::policy
