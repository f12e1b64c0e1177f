// Rule 7. A host that is short takes from guests with slack: in proportion to slack / weight, each at most
// half of its slack and one step. Shares that would be too small to be worth it go to those who can give
// more.
#include <algorithm>
#include <string>

#include "host-bridge/policy/arithmetic.h"
#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {
namespace {

struct Donor {
  const View* view;
  int64_t units;  // most it may give now, in alignment units, >= 1
  int64_t claim;  // slack / weight, the measure of its share; >= 1
  int64_t share = 0;
};

bool MoreGenerous(const Donor& a, const Donor& b) {
  if (a.claim != b.claim) return a.claim > b.claim;
  return a.view->facts->limits.name < b.view->facts->limits.name;
}

// Least to give for its claim first: those are the ones whose cap binds.
bool CapsFirst(const Donor& a, const Donor& b) {
  const Wide left = Wide{a.units} * b.claim;
  const Wide right = Wide{b.units} * a.claim;
  if (left != right) return left < right;
  return MoreGenerous(a, b);
}

// Fills every share; their sum is min(units, what all may give). Rounding runs along, so that nothing is lost
// and no share passes its cap.
void Fill(std::vector<Donor>& donors, int64_t units) {
  std::sort(donors.begin(), donors.end(), CapsFirst);
  Wide claims = 0;
  for (const Donor& donor : donors) claims += donor.claim;
  size_t next = 0;
  for (; next < donors.size(); ++next) {
    Donor& donor = donors[next];
    if (Wide{units} * donor.claim < Wide{donor.units} * claims) break;
    donor.share = donor.units;
    units -= donor.units;
    claims -= donor.claim;
  }
  Wide claimed = 0;
  Wide given = 0;
  for (; next < donors.size(); ++next) {
    claimed += donors[next].claim;
    const Wide until = claimed * units / claims;
    donors[next].share = static_cast<int64_t>(until - given);
    given = until;
  }
}

// Drops who would give less than `least`; when all would, the most generous carry it alone. False: nothing
// dropped.
bool DropSmallShares(std::vector<Donor>& donors, int64_t units, int64_t least) {
  const auto is_small = [least](const Donor& donor) { return donor.share < least; };
  const auto small = std::count_if(donors.begin(), donors.end(), is_small);
  if (small == 0) return false;
  if (static_cast<size_t>(small) < donors.size()) {
    std::erase_if(donors, is_small);
    return true;
  }
  const auto enough = static_cast<size_t>(std::max<int64_t>(1, units / least));
  if (enough >= donors.size()) return false;
  std::sort(donors.begin(), donors.end(), MoreGenerous);
  donors.erase(donors.begin() + static_cast<ptrdiff_t>(enough), donors.end());
  return true;
}

}  // namespace

bool IsDonor(const View& view) {
  const bool at_ease = view.state == GuestState::kComfortable || view.state == GuestState::kIdle;
  const bool grant_on_its_way = view.target < view.actual;
  return view.heard && at_ease && view.may_take && !grant_on_its_way;
}

int64_t DonorSlack(const View& view, const PolicyConfig& config) {
  const int64_t standing = std::max(view.actual, view.target);
  const int64_t size = view.base - standing;
  const int64_t reserve =
      std::max({config.guest_reserve_min_bytes, ShareOf(size, config.guest_reserve_permyriad),
                WithMargin(view.thresholds.pressed_available_bytes)});
  // Other guests alone push nobody below the baseline; only a host that is short itself does.
  const bool host_is_short = view.host_state >= HostState::kPressure;
  const int64_t limit = host_is_short ? view.most_balloon : view.baseline_balloon;
  const int64_t by_use = Sub(size, Add(view.used, reserve));
  // What the kernel keeps for itself is in no MemTotal, so the sum above may promise more than is available.
  const int64_t by_available = Sub(view.reading->available_bytes, Add(standing - view.actual, reserve));
  return std::max<int64_t>(0, std::min({limit - standing, by_use, by_available}));
}

std::vector<Taking> ShareOut(const std::vector<const View*>& donors, int64_t wanted,
                             const PolicyConfig& config) {
  const int64_t unit = config.alignment_bytes;
  const int64_t least = std::max<int64_t>(1, AlignUp(config.dead_band_bytes, unit) / unit);
  std::vector<Donor> able;
  for (const View* view : donors) {
    const int64_t slack = DonorSlack(*view, config);
    const int64_t units = std::min(slack / 2, config.max_step_bytes) / unit;
    if (units < least) continue;
    const int64_t claim = std::max<int64_t>(1, MulDiv(slack, 16, view->facts->limits.weight));
    able.push_back({view, units, claim});
  }
  const int64_t units = std::max(least, AlignUp(wanted, unit) / unit);
  // Every round drops a guest; sixteen are far more than real sets need, and bound the time of a contrived
  // one.
  for (int round = 0; round < 16; ++round) {
    Fill(able, units);
    if (!DropSmallShares(able, units, least)) break;
  }
  std::vector<Taking> takings;
  for (const Donor& donor : able) {
    if (donor.share >= least) takings.push_back({donor.view, donor.share * unit});
  }
  return takings;
}

Proposal TakeProposal(const Taking& taking, int64_t wanted) {
  const View& view = *taking.view;
  const int64_t from = std::max(view.actual, view.target);
  Proposal proposal{{from + taking.bytes}, {from}, ReasonFor(Rule::kHostPressure, view)};
  proposal.reason.threshold_bytes = view.thresholds.pressed_available_bytes;
  proposal.reason.wanted_bytes = wanted;
  return proposal;
}

}  // namespace ballast::policy
