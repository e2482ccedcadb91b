# hnswlib, headers alone, for approximate search; Debian's has no CMake package.
set(BRIDGETOWER_HAS_HNSWLIB OFF)
if(BRIDGETOWER_HNSWLIB)
  find_path(HNSWLIB_INCLUDE_DIR hnswlib/hnswlib.h)
  if(HNSWLIB_INCLUDE_DIR)
    set(BRIDGETOWER_HAS_HNSWLIB ON)
  endif()
endif()
