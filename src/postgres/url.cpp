#include "postgres/url.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <bridgetower/postgres/store.hpp>
#include <memory>
#include <string_view>

namespace bridgetower::postgres {
namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

/// Behind the scheme; npos for another one.
std::size_t authority_of(std::string_view url) {
  for (const std::string_view scheme : {"postgres://", "postgresql://"}) {
    if (url.substr(0, scheme.size()) == scheme) return scheme.size();
  }
  return std::string_view::npos;
}

/// An @ or / of a password that is not written as %40 or %2F makes libpq take a part of the
/// password for a host or a port, which its messages name.
bool is_plain(std::string_view url) {
  const std::size_t begin = authority_of(url);
  if (begin == std::string_view::npos) return false;
  const auto ats = std::count(url.begin(), url.end(), '@');
  return ats == 0 || (ats == 1 && url.find('@') < url.find('/', begin));
}

std::string value_of(const Options& options, std::string_view keyword) {
  for (const PQconninfoOption* o = options.get(); o->keyword != nullptr; ++o) {
    if (keyword == o->keyword && o->val != nullptr) return o->val;
  }
  return {};
}

/// One number, or one for each host. Of postgres://me:secret, without a host, it is the password.
bool has_port_numbers(const Options& options) {
  return value_of(options, "port").find_first_not_of("0123456789,") == std::string::npos;
}

Options parse(const std::string& url) {
  // libpq's message is not asked for: it may hold the URL.
  Options options(is_plain(url) ? PQconninfoParse(url.c_str(), nullptr) : nullptr, PQconninfoFree);
  if (options == nullptr || !has_port_numbers(options)) {
    throw InputError(
        "database", "URL",
        "postgres://USER@HOST:PORT/DATABASE with @ and / of names and passwords written "
        "as %40 and %2F",
        "something else");
  }
  return options;
}

/// As a URL holds it: the directory of a socket may be the host.
std::string escaped(const std::string& name) {
  std::string text;
  for (const char c : name) text += c == '/' ? "%2F" : c == '@' ? "%40" : std::string(1, c);
  return text;
}

}  // namespace

void check_url(const std::string& url) { parse(url); }

std::string place_of(const std::string& url) {
  const Options options = parse(url);
  const auto value = [&](const char* keyword) { return escaped(value_of(options, keyword)); };
  const std::string user = value("user");
  const std::string port = value("port");
  return "postgres://" + (user.empty() ? "" : user + "@") + value("host") +
         (port.empty() ? "" : ":" + port) + "/" + value("dbname");
}

}  // namespace bridgetower::postgres
