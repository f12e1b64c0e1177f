// A portable source of random numbers: the same seed gives the same numbers with every compiler and library,
// which the distributions of <random> do not promise.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "common/base/time.h"

namespace ballast::sim {

// Two ends of a range, both included; a constant where they are equal.
template <typename T>
struct Between {
  T least{};
  T most{};

  friend bool operator==(const Between&, const Between&) = default;
};

// xoshiro256** seeded by splitmix64. A copy goes on by itself with the same numbers.
class Random {
 public:
  explicit Random(uint64_t seed);

  // A stream of its own for the one who is called `name` and `index`, whoever else draws numbers from this
  // seed.
  [[nodiscard]] static Random For(uint64_t seed, std::string_view name, uint64_t index);

  [[nodiscard]] uint64_t Bits();
  [[nodiscard]] double Uniform();  // 0 <= x < 1
  [[nodiscard]] bool Chance(double probability);
  [[nodiscard]] double Normal();                                // mean 0, deviation 1
  [[nodiscard]] double LogNormal(double median, double sigma);  // sigma: deviation of the logarithm
  [[nodiscard]] double Exponential(double mean);
  [[nodiscard]] int64_t Poisson(double mean);  // mean 0..500
  // Burr XII: P(x > v) = (1 + (v / scale)^c)^-k.
  [[nodiscard]] double Burr(double c, double k, double scale);
  // P(x > v) = (least / v)^alpha for v >= least.
  [[nodiscard]] double Pareto(double least, double alpha);

  [[nodiscard]] double In(const Between<double>& range);
  [[nodiscard]] int64_t In(const Between<int64_t>& range);
  [[nodiscard]] int32_t In(const Between<int32_t>& range);
  [[nodiscard]] Nanos In(const Between<Nanos>& range);
  // Each magnitude equally likely: as many between 1 and 2 GiB as between 2 and 4 GiB. Needs least > 0.
  [[nodiscard]] int64_t InByMagnitude(const Between<int64_t>& range);
  // Bounded to 1 ms..400 days, so that a segment always has a length and a clock never overflows.
  [[nodiscard]] Nanos ExponentialTime(Nanos mean);
  [[nodiscard]] Nanos LogNormalTime(Nanos median, double sigma);

 private:
  std::array<uint64_t, 4> state_;
};

// `seconds` as a length of time, bounded as above.
[[nodiscard]] Nanos BoundedTime(double seconds);

}  // namespace ballast::sim
