// TLS as this server offers it: 1.2 and 1.3, forward-secret AEAD suites, no renegotiation.
#pragma once

#include <openssl/ssl.h>

#include <string>

#include "http.h"

namespace cw::http {

// A context the caller frees with SSL_CTX_free. Where neither file exists, a self-signed pair is
// made first. The Problem (`http.tls`) names the file at fault, never its content.
Result<SSL_CTX*> make_tls_context(const TlsOptions& options, const Clock& clock);

// SHA-256 of the context's certificate as "AB:CD:…".
std::string tls_fingerprint(SSL_CTX* context);

}  // namespace cw::http
