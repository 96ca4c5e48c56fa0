// An answer as bytes: status line, the security headers every answer carries, and the handler's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "http.h"

namespace cw::http {

struct AnswerContext {
  std::string_view request_id;
  std::string_view content_security_policy;
  std::int64_t now_ms = 0;
  bool tls = false;  // adds HSTS
  bool keep_alive = true;
  bool stream = false;  // an event stream: no length, until the connection ends
};

extern const char* const kStrictPolicy;

// The header block, or nothing when a field of the response cannot be sent (a control character).
std::optional<std::string> answer_header(const Response& response, const AnswerContext& context);

// True when an answer of this status has no body (RFC 9110 §6.4.1).
bool answer_has_no_body(int status);

// One event in the text of an event stream (WHATWG HTML §9.2.6).
std::string event_text(const Event& event);

}  // namespace cw::http
