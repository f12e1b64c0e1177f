// Who gives how much when the host (rule 7) or a standing request (rule 6) needs memory: weighted
// water-filling over the donors' slack with an idle tax. Each gives at most half of its slack and one step or
// half of its free pages; shares that would be too small to be worth it go to those who can give more.
#include <algorithm>

#include "host-bridge/policy/arithmetic.h"
#include "host-bridge/policy/rules/taking.h"

namespace ballast::policy {
namespace {

// Of Share::fill: fine enough to tell nearly all ratios apart.
constexpr int64_t kFillScale = int64_t{1} << 40;

bool MoreGenerous(const Share& a, const Share& b) {
  if (a.claim != b.claim) return a.claim > b.claim;
  return a.donor->limits->name < b.donor->limits->name;
}

// Least to give for its claim first: those are the ones whose cap binds.
bool CapsFirst(const Share& a, const Share& b) {
  if (a.fill != b.fill) return a.fill < b.fill;
  const Wide left = Wide{a.units} * b.claim;
  const Wide right = Wide{b.units} * a.claim;
  if (left != right) return left < right;
  return MoreGenerous(a, b);
}

// Fills every share, given in that order; their sum is min(units, what all may give). Rounding runs along, so
// that nothing is lost and no share passes its cap.
void Fill(std::vector<Share>& shares, int64_t units) {
  Wide claims = 0;
  for (const Share& share : shares) claims += share.claim;
  size_t next = 0;
  for (; next < shares.size(); ++next) {
    Share& share = shares[next];
    if (Wide{units} * share.claim < Wide{share.units} * claims) break;
    share.share = share.units;
    units -= share.units;
    claims -= share.claim;
  }
  Wide claimed = 0;
  Wide given = 0;
  for (; next < shares.size(); ++next) {
    claimed += shares[next].claim;
    const Wide until = claimed * units / claims;
    shares[next].share = static_cast<int64_t>(until - given);
    given = until;
  }
}

// Drops who would give less than `least`; when all would, the most generous carry it alone. False: nothing
// dropped.
bool DropSmallShares(std::vector<Share>& shares, int64_t units, int64_t least) {
  const auto is_small = [least](const Share& share) { return share.share < least; };
  const auto small = std::count_if(shares.begin(), shares.end(), is_small);
  if (small == 0) return false;
  if (static_cast<size_t>(small) < shares.size()) {
    std::erase_if(shares, is_small);
    return true;
  }
  const auto enough = static_cast<size_t>(std::max<int64_t>(1, units / least));
  if (enough >= shares.size()) return false;
  std::sort(shares.begin(), shares.end(), MoreGenerous);
  shares.erase(shares.begin() + static_cast<ptrdiff_t>(enough), shares.end());
  std::sort(shares.begin(), shares.end(), CapsFirst);
  return true;
}

int64_t UsedShare(int64_t used, int64_t size) {
  if (used <= 0 || size <= 0) return 0;
  return used >= size ? 10'000 : used * 10'000 / size;
}

// The ESX idle tax: a page that is not used costs k = 1 / (1 - tax) times one that is. Sixteenths keep small
// slacks of heavy guests apart.
int64_t ClaimOf(const Donor& donor, int64_t slack, const PolicyConfig& config) {
  const int64_t kept = 10'000 - config.idle_tax_permyriad;
  const int64_t used = UsedShare(donor.used, donor.size);
  const int64_t idle = 10'000 - used;
  const int64_t taxed = used + (kept > 0 ? idle * 10'000 / kept : idle * 10'000);
  const int64_t price = MulDiv(slack, taxed, 10'000);
  return std::max<int64_t>(1, MulDiv(price, 16, donor.limits->weight));
}

}  // namespace

void ShareOut(const std::vector<Donor*>& donors, int64_t wanted, DownTo limit, const PolicyConfig& config,
              std::vector<Share>& shares, std::vector<Taking>& takings) {
  const int64_t unit = config.alignment_bytes;
  const int64_t least = std::max<int64_t>(1, AlignUp(config.dead_band_bytes, unit) / unit);
  shares.clear();
  takings.clear();
  for (Donor* donor : donors) {
    const int64_t slack = limit == DownTo::kFloor ? donor->floor_slack : donor->baseline_slack;
    const int64_t units = std::min(slack / 2, donor->most_step_in_need) / unit;
    if (units < least) continue;
    const int64_t claim = ClaimOf(*donor, slack, config);
    shares.push_back(
        {.donor = donor, .units = units, .claim = claim, .fill = MulDiv(units, kFillScale, claim)});
  }
  std::sort(shares.begin(), shares.end(), CapsFirst);
  const int64_t units = std::max(least, AlignUp(wanted, unit) / unit);
  // Every round drops a guest; sixteen are far more than real sets need, and bound the time of a contrived
  // one.
  for (int round = 0; round < 16; ++round) {
    Fill(shares, units);
    if (!DropSmallShares(shares, units, least)) break;
  }
  for (const Share& share : shares) {
    if (share.share >= least) takings.push_back({share.donor, share.share * unit});
  }
}

}  // namespace ballast::policy
