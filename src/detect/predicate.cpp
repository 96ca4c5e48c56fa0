#include "predicate.h"

#include <arpa/inet.h>

#include <charconv>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"

namespace cw::detect {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

// ISO 8601 week number of a day since 1970.
int iso_week(std::int64_t day) {
  std::int64_t weekday = ((day + 3) % 7 + 7) % 7;  // Monday = 0
  std::int64_t thursday = day - weekday + 3;
  Civil civil = civil_from_days(thursday);
  return static_cast<int>((thursday - days_from_civil(civil.year, 1, 1)) / 7 + 1);
}

struct Moment {
  std::int64_t day;
  int hour, minute;
};

std::optional<int> two_digits(std::string_view s, std::size_t at) {
  if (at + 2 > s.size()) return std::nullopt;
  return to_int<int>(s.substr(at, 2));
}

// As written: "2026-01-31T23:59…" or "2026-01-31 23:59…" or "2026-01-31".
std::optional<Moment> written_moment(std::string_view s) {
  if (s.size() < 10 || s[4] != '-' || s[7] != '-') return std::nullopt;
  auto year = to_int<int>(s.substr(0, 4));
  auto month = two_digits(s, 5), day = two_digits(s, 8);
  if (!year || !month || !day || *month < 1 || *month > 12 || *day < 1 || *day > 31) {
    return std::nullopt;
  }
  Moment out{days_from_civil(*year, *month, *day), 0, 0};
  if (s.size() == 10) return out;
  auto hour = two_digits(s, 11), minute = two_digits(s, 14);
  if ((s[10] != 'T' && s[10] != ' ') || s.size() < 16 || s[13] != ':' || !hour || !minute) {
    return std::nullopt;
  }
  out.hour = *hour;
  out.minute = *minute;
  return out;
}

}  // namespace

bool holds(Relation relation, double left, double right) {
  switch (relation) {
    case Relation::lt:
      return left < right;
    case Relation::lte:
      return left <= right;
    case Relation::gt:
      return left > right;
    case Relation::gte:
      return left >= right;
    case Relation::eq:
      return left == right;
  }
  return false;
}

std::optional<double> parse_number(std::string_view text) {
  text = trim(text);
  if (text.empty() || text.size() > 64) return std::nullopt;
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<int> time_part(TimePart part, std::string_view text) {
  text = trim(text);
  std::optional<Moment> moment = written_moment(text);
  if (!moment) {
    auto number = parse_number(text);
    if (!number || *number < 0 || *number > 2.5e14) return std::nullopt;
    auto ms = static_cast<std::int64_t>(*number > 1e11 ? *number : *number * 1000);
    moment = Moment{ms / kDayMs, static_cast<int>(ms % kDayMs / 3'600'000),
                    static_cast<int>(ms % 3'600'000 / 60'000)};
  }
  Civil civil = civil_from_days(moment->day);
  switch (part) {
    case TimePart::minute:
      return moment->minute;
    case TimePart::hour:
      return moment->hour;
    case TimePart::day:
      return civil.day;
    case TimePart::week:
      return iso_week(moment->day);
    case TimePart::month:
      return civil.month;
    case TimePart::year:
      return civil.year;
  }
  return std::nullopt;
}

std::optional<Cidr> parse_cidr(std::string_view text) {
  std::size_t slash = text.find('/');
  std::string address(text.substr(0, slash));
  Cidr out;
  out.v6 = address.find(':') != std::string::npos;
  int bits_max = out.v6 ? 128 : 32;
  if (inet_pton(out.v6 ? AF_INET6 : AF_INET, address.c_str(), out.address.data()) != 1) {
    return std::nullopt;
  }
  out.bits = bits_max;
  if (slash != std::string_view::npos) {
    auto bits = to_int<int>(text.substr(slash + 1));
    if (!bits || *bits < 0 || *bits > bits_max) return std::nullopt;
    out.bits = *bits;
  }
  return out;
}

bool Cidr::contains(std::string_view ip) const {
  char buffer[INET6_ADDRSTRLEN];
  ip = trim(ip);
  if (ip.starts_with("::ffff:") && !v6) ip.remove_prefix(7);  // IPv4 as IPv6 sockets write it
  if (ip.empty() || ip.size() >= sizeof buffer) return false;
  std::memcpy(buffer, ip.data(), ip.size());
  buffer[ip.size()] = '\0';
  std::array<unsigned char, 16> other{};
  if (inet_pton(v6 ? AF_INET6 : AF_INET, buffer, other.data()) != 1) return false;
  auto whole = static_cast<std::size_t>(bits / 8);
  if (std::memcmp(address.data(), other.data(), whole) != 0) return false;
  int rest = bits % 8;
  if (rest == 0) return true;
  auto mask = static_cast<unsigned char>(0xff << (8 - rest));
  return (address[whole] & mask) == (other[whole] & mask);
}

Predicates::Predicates() { field(""); }

std::uint32_t Predicates::field(std::string_view name) {
  auto [at, added] = by_name_.try_emplace(std::string(name), fields_.size());
  if (added) fields_.emplace_back(name);
  return at->second;
}

std::uint32_t Predicates::intern(Predicate p) {
  std::string key = std::to_string(p.field) + '/' + std::to_string(static_cast<int>(p.op)) +
                    (p.cased ? "c" : "i");
  switch (p.op) {
    case Op::equals:
    case Op::prefix:
    case Op::suffix:
    case Op::contains:
      key += p.text;
      break;
    case Op::glob:
      key += pattern_key(p.glob);
      break;
    case Op::regex: {
      RegexFlags f = p.regex->flags();
      key += static_cast<char>('0' + f.caseless + 2 * f.multiline + 4 * f.dotall);
      key += p.regex->text();
      break;
    }
    case Op::cidr:
      key.append(reinterpret_cast<const char*>(p.cidr.address.data()), p.cidr.address.size());
      key += std::to_string(p.cidr.bits) + (p.cidr.v6 ? "v6" : "v4");
      break;
    case Op::time_part:
      key += static_cast<char>('a' + static_cast<int>(p.part));
      [[fallthrough]];
    case Op::number:
      key += static_cast<char>('0' + static_cast<int>(p.relation));
      key.append(reinterpret_cast<const char*>(&p.number), sizeof p.number);
      break;
    case Op::field_ref:
      key += std::to_string(static_cast<int>(p.reference)) + '/' + std::to_string(p.other_field);
      break;
    case Op::is_null:
    case Op::exists:
      break;
  }
  auto [at, added] = by_key_.try_emplace(std::move(key), all_.size());
  if (!added) return at->second;
  if (p.op == Op::regex) p.triggers = required_literals(p.regex->text());
  if (p.op == Op::glob && !longest_literal(p.glob).empty()) {
    p.triggers.emplace_back(longest_literal(p.glob));
  }
  p.indexed = p.op <= Op::contains || !p.triggers.empty();
  all_.push_back(std::move(p));
  return at->second;
}

}  // namespace cw::detect
