# libpq, PostgreSQL's client library, for the optional component.
if(BRIDGETOWER_POSTGRES)
  find_package(PostgreSQL QUIET)
  if(NOT TARGET PostgreSQL::PostgreSQL)
    message(STATUS "libpq was not found: BridgeTower::postgres, index --to and search --from are not built")
  endif()
endif()
