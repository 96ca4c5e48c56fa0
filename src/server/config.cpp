#include "config.h"

#include "base/text.h"

namespace cw {
namespace {

constexpr std::size_t kWitnessesMax = 16;

Problem wrong(const std::string& pointer, Text what) {
  return invalid("config.wrong", pointer,
                 {"配置 " + pointer + "：" + what.zh, "Configuration " + pointer + ": " + what.en});
}

Status take_text(const json::value& v, const std::string& pointer, std::string& out) {
  if (!v.is_string()) return wrong(pointer, {"应为文本", "this must be a text"});
  out = v.get_string();
  return done();
}

Status take_texts(const json::value& v, const std::string& pointer, std::vector<std::string>& out) {
  if (!v.is_array() || v.get_array().size() > 64)
    return wrong(pointer, {"应为最多 64 个文本的列表", "this must be a list of at most 64 texts"});
  for (const json::value& one : v.get_array())
    if (auto status = take_text(one, pointer, out.emplace_back()); !status) return status;
  return done();
}

Status read_smtp(const json::object& o, SmtpOptions& smtp) {
  for (const auto& [key, v] : o) {
    std::string at = "/smtp/" + std::string(key);
    std::string tls;
    Status status = done();
    if (key == "host")
      status = take_text(v, at, smtp.host);
    else if (key == "user")
      status = take_text(v, at, smtp.user);
    else if (key == "password")
      status = take_text(v, at, smtp.password);
    else if (key == "from")
      status = take_text(v, at, smtp.from);
    else if (key == "ca_file")
      status = take_text(v, at, smtp.ca_file);
    else if (key == "port" && v.is_int64() && v.get_int64() > 0 && v.get_int64() < 65536)
      smtp.port = static_cast<std::uint16_t>(v.get_int64());
    else if (key == "tls" && (status = take_text(v, at, tls)).ok() &&
             (tls == "none" || tls == "starttls" || tls == "tls"))
      smtp.tls = tls == "none"  ? SmtpOptions::Tls::none
                 : tls == "tls" ? SmtpOptions::Tls::tls
                                : SmtpOptions::Tls::starttls;
    else
      return wrong(at,
                   {"没有这一项，或取值不对", "there is no such member, or its value is wrong"});
    if (!status) return status;
  }
  if (smtp.host.empty() || smtp.from.empty())
    return wrong("/smtp", {"须有 host 与 from", "host and from are needed"});
  return done();
}

// {"url", "key", "ca_file"}: who is asked to cosign.
Result<WitnessAddress> read_witness(const json::value& v, const std::string& at) {
  if (!v.is_object()) return wrong(at, {"应为对象", "this must be an object"});
  WitnessAddress out;
  for (const auto& [key, member] : v.get_object()) {
    std::string place = at + "/" + std::string(key), vkey;
    Status status = done();
    if (key == "url") {
      status = take_text(member, place, out.url);
    } else if (key == "ca_file") {
      status = take_text(member, place, out.ca_file);
    } else if (key == "key") {
      if (status = take_text(member, place, vkey); status) {
        auto parsed = VerifierKey::parse(vkey);
        if (!parsed) return wrong(place, parsed.problem().text);
        out.key = std::move(*parsed);
      }
    } else {
      return wrong(place, {"没有这一项", "there is no such member"});
    }
    if (!status) return std::move(status).problem();
  }
  if (!out.url.starts_with("https://") && !out.url.starts_with("http://"))
    return wrong(at + "/url", {"应以 https:// 或 http:// 开头", "it begins https:// or http://"});
  if (out.key.kind != 4 || out.key.public_key.empty())
    return wrong(at + "/key", {"应为见证人公钥（启动时打印）",
                               "this must be the witness's verifier key, which it prints"});
  return out;
}

Status read_witnesses(const json::array& list, const std::string& at,
                      std::vector<WitnessAddress>& into) {
  if (list.size() > kWitnessesMax)
    return wrong(at, {"最多 " + std::to_string(kWitnessesMax) + " 个",
                      "at most " + std::to_string(kWitnessesMax)});
  for (std::size_t i = 0; i < list.size(); ++i) {
    auto witness = read_witness(list[i], at + "/" + std::to_string(i));
    if (!witness) return std::move(witness).problem();
    into.push_back(std::move(*witness));
  }
  return done();
}

}  // namespace

Status read_listen(const std::string& text, ServeConfig& into) {
  std::size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon == std::string::npos ? 0 : colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  auto port = colon == std::string::npos
                  ? std::nullopt
                  : to_int<std::uint16_t>(std::string_view(text).substr(colon + 1));
  if (host.empty() || !port)
    return invalid("args.listen", "--listen",
                   {"--listen 应为 地址:端口，例如 127.0.0.1:8080",
                    "--listen must be HOST:PORT, for example 127.0.0.1:8080"});
  into.http.host = host;
  into.http.port = *port;
  into.tls = !(host.starts_with("127.") || host == "::1");
  return done();
}

Status read_config(const json::object& file, ServeConfig& into) {
  for (const auto& [key, v] : file) {
    std::string at = "/" + std::string(key), text;
    Status status = done();
    if (key == "listen") {
      if ((status = take_text(v, at, text))) status = read_listen(text, into);
    } else if (key == "origin") {
      status = take_text(v, at, into.installation.origin);
    } else if (key == "base_url") {
      status = take_text(v, at, into.installation.notify.base_url);
    } else if (key == "certificate_file") {
      status = take_text(v, at, into.certificate_file);
    } else if (key == "key_file") {
      status = take_text(v, at, into.key_file);
    } else if (key == "hosts") {
      status = take_texts(v, at, into.http.hosts);
    } else if (key == "trusted_proxies") {
      status = take_texts(v, at, into.http.trusted_proxies);
    } else if (key == "certificate_names") {
      status = take_texts(v, at, into.certificate_names);
    } else if (key == "smtp" && v.is_object()) {
      status = read_smtp(v.get_object(), into.installation.notify.smtp.emplace());
    } else if (key == "webhooks_to_loopback" && v.is_bool()) {
      into.installation.notify.webhooks_to_loopback = v.get_bool();
    } else if (key == "witnesses" && v.is_array()) {
      status = read_witnesses(v.get_array(), at, into.installation.witnesses);
    } else if (key == "sources" && v.is_array()) {
      for (const auto& item : v.get_array()) {
        auto source = item.is_object() ? watch::source_from_json(item.get_object())
                                       : Result<watch::SourceConfig>(
                                             wrong(at, {"每项应为对象", "each must be an object"}));
        if (!source) return std::move(source).problem();
        into.installation.sources.push_back(std::move(*source));
      }
    } else {
      return wrong(at,
                   {"没有这一项，或取值不对", "there is no such member, or its value is wrong"});
    }
    if (!status) return status;
  }
  return done();
}

}  // namespace cw
