#include "tls.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/log.h"

namespace cw::http {

namespace {

template <auto Free>
struct TlsFree {
  template <typename T>
  void operator()(T* p) const {
    Free(p);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, TlsFree<EVP_PKEY_free>>;
using CertPtr = std::unique_ptr<X509, TlsFree<X509_free>>;
using BioPtr = std::unique_ptr<BIO, TlsFree<BIO_free_all>>;
using CtxPtr = std::unique_ptr<SSL_CTX, TlsFree<SSL_CTX_free>>;

Problem tls_problem(const std::string& zh, const std::string& en) {
  ERR_clear_error();
  return problem(Refusal::invalid, "http.tls", {zh, en});
}

// Written beside and renamed, so that a half-written file is never found.
bool write_private(const std::string& path, BIO* content, mode_t mode) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(content, &data);
  const std::string temporary = path + ".new";
  ::unlink(temporary.c_str());
  int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0) return false;
  bool good = ::write(fd, data, static_cast<std::size_t>(size)) == size && ::fsync(fd) == 0;
  good = ::close(fd) == 0 && good;
  return good && ::rename(temporary.c_str(), path.c_str()) == 0;
}

// "DNS:localhost,IP:127.0.0.1": a small language of its own, so only plain names may enter it.
std::string subject_alt_names(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    in_addr v4;
    in6_addr v6;
    const bool is_address = ::inet_pton(AF_INET, name.c_str(), &v4) == 1 ||
                            ::inet_pton(AF_INET6, name.c_str(), &v6) == 1;
    const bool is_plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '*';
    });
    if ((!is_address && !is_plain) || name == "0.0.0.0" || name == "::") continue;
    if (!out.empty()) out += ',';
    out += (is_address ? "IP:" : "DNS:") + name;
  }
  return out;
}

bool add_extension(X509* cert, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, cert, cert, nullptr, nullptr, 0);
  X509_EXTENSION* e = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (!e) return false;
  const bool added = X509_add_ext(cert, e, -1) == 1;
  X509_EXTENSION_free(e);
  return added;
}

CertPtr self_signed(EVP_PKEY* key, const TlsOptions& options, const Clock& clock) {
  CertPtr cert(X509_new());
  unsigned char serial[16];
  if (!cert || RAND_bytes(serial, sizeof serial) != 1) return nullptr;
  serial[0] &= 0x7f;
  BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert.get()));
  BN_free(number);
  X509_set_version(cert.get(), 2);
  time_t now = static_cast<time_t>(clock.now_ms() / 1000);
  X509_time_adj_ex(X509_getm_notBefore(cert.get()), -1, 0, &now);
  X509_time_adj_ex(X509_getm_notAfter(cert.get()), 3650, 0, &now);
  X509_set_pubkey(cert.get(), key);
  X509_NAME* name = X509_get_subject_name(cert.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>("Callwarden"), -1, -1, 0);
  X509_set_issuer_name(cert.get(), name);
  const std::string names = subject_alt_names(options.names);
  if (!add_extension(cert.get(), NID_basic_constraints, "critical,CA:FALSE") ||
      !add_extension(cert.get(), NID_key_usage, "critical,digitalSignature") ||
      !add_extension(cert.get(), NID_ext_key_usage, "serverAuth") ||
      !add_extension(cert.get(), NID_subject_key_identifier, "hash") ||
      (!names.empty() && !add_extension(cert.get(), NID_subject_alt_name, names)) ||
      X509_sign(cert.get(), key, EVP_sha256()) == 0) {
    return nullptr;
  }
  return cert;
}

Status make_self_signed(const TlsOptions& options, const Clock& clock) {
  KeyPtr key(EVP_EC_gen("P-256"));
  CertPtr cert = key ? self_signed(key.get(), options, clock) : nullptr;
  BioPtr key_pem(BIO_new(BIO_s_mem())), cert_pem(BIO_new(BIO_s_mem()));
  if (!cert ||
      PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1 ||
      PEM_write_bio_X509(cert_pem.get(), cert.get()) != 1) {
    return tls_problem("无法生成自签名证书。", "A self-signed certificate could not be made.");
  }
  if (!write_private(options.key_file, key_pem.get(), 0600) ||
      !write_private(options.certificate_file, cert_pem.get(), 0644)) {
    const std::string why = std::strerror(errno);
    ::unlink(options.key_file.c_str());  // never one without the other
    return tls_problem(
        "无法写入证书或私钥文件 " + options.key_file + "：" + why,
        "The certificate or key file " + options.key_file + " cannot be written: " + why);
  }
  log_info("http", "made a self-signed certificate");
  return done();
}

bool file_exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

int select_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                unsigned in_size, void*) {
  static const unsigned char ours[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, ours, sizeof ours, in, in_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<SSL_CTX*> make_tls_context(const TlsOptions& options, const Clock& clock) {
  const std::string& cert = options.certificate_file;
  const std::string& key = options.key_file;
  if (!file_exists(cert) && !file_exists(key)) {
    if (auto made = make_self_signed(options, clock); !made) return made.problem();
  }
  if (!file_exists(cert)) {
    return tls_problem("证书文件不存在：" + cert, "The certificate file is missing: " + cert);
  }
  struct stat info {};
  if (::stat(key.c_str(), &info) != 0) {
    return tls_problem("私钥文件不存在：" + key, "The key file is missing: " + key);
  }
  if ((info.st_mode & 07) != 0) {
    return tls_problem("私钥文件对所有用户可读，请改为 0600：" + key,
                       "The key file is open to every user; set its mode to 0600: " + key);
  }
  CtxPtr context(SSL_CTX_new(TLS_server_method()));
  if (!context) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE |
                                         SSL_OP_PRIORITIZE_CHACHA | SSL_OP_SINGLE_ECDH_USE);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  CW_CHECK(SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20") == 1);
  SSL_CTX_set_alpn_select_cb(context.get(), select_alpn, nullptr);
  static const unsigned char session[] = "callwarden";
  SSL_CTX_set_session_id_context(context.get(), session, sizeof session - 1);
  if (SSL_CTX_use_certificate_chain_file(context.get(), cert.c_str()) != 1) {
    return tls_problem("无法读取证书：" + cert, "The certificate cannot be read: " + cert);
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return tls_problem("私钥无法读取，或与证书不匹配：" + key,
                       "The key cannot be read or does not fit the certificate: " + key);
  }
  return context.release();
}

std::string tls_fingerprint(SSL_CTX* context) {
  X509* cert = SSL_CTX_get0_certificate(context);
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (!cert || X509_digest(cert, EVP_sha256(), hash, &size) != 1) return "";
  static const char digits[] = "0123456789ABCDEF";
  std::string out;
  for (unsigned i = 0; i < size; ++i) {
    if (i > 0) out += ':';
    out += digits[hash[i] >> 4];
    out += digits[hash[i] & 15];
  }
  return out;
}

}  // namespace cw::http
