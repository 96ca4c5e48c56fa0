// What signing in, sessions and second factors share. Internal.
#pragma once

#include <mutex>

#include "state.h"
#include "throttle.h"

namespace cw {

struct Access::Impl {
  explicit Impl(Identity::Impl& identity);

  // A person as sign-in needs them, copied under the state lock.
  struct Candidate {
    std::string person, login, org, lang, password, totp;
    std::int64_t one_time_until = 0, totp_step = 0;
    std::vector<std::int64_t> recovery_used;
    bool active = false, must_change = false;
  };
  // What the code given turned out to be.
  struct Factor {
    bool ok = false;
    std::int64_t step = 0;    // of a one-time code
    std::int64_t index = -1;  // of a recovery code
  };

  std::optional<Candidate> candidate(std::string_view login_or_person, bool by_login);
  // The password, and in the same time when there is no such person.
  Result<bool> password_right(const std::optional<Candidate>& who, std::string_view password);
  Factor second_factor(const Candidate& who, std::string_view code, std::int64_t now_ms);
  // Waits, failures and forgiveness, by login and by address.
  Status wait_over(const std::string& login_key, const std::string& address_key);
  Problem refuse(const std::string& login_key, const std::string& address_key,
                 const std::string& person);
  // Password (and code, when enrolled) of somebody already signed in; throttled like a sign-in.
  Result<Factor> prove(const Candidate& who, std::string_view password, std::string_view code,
                       bool with_code, std::string_view pointer);
  // On the writer thread: the step or recovery code is still unused.
  bool still_fresh(const PersonRecord& p, const Factor& f) const;
  Principal principal_of(const SessionRecord& s, const PersonRecord& p, std::string csrf) const;

  Identity::Impl& id;
  Throttle throttle;
  std::string decoy;
  struct Enrolling {
    SecretBytes secret;
    std::int64_t until_ms;
  };
  std::mutex enrolling_mutex;
  std::map<std::string, Enrolling> enrolling;
};

Problem session_expired();

}  // namespace cw
