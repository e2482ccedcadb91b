// The PostgreSQL component in a user's program, as far as it comes without a server.
#include <bridgetower/postgres/search.hpp>
#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    bridgetower::postgres::Store store(argv[1]);
    std::printf("%lld\n", static_cast<long long>(store.images()));
  } catch (const bridgetower::Error& error) {
    std::printf("%s: %s\n", bridgetower::to_string(error.code()), error.what());
  }
}
