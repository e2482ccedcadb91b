# Sanitizers hold for everything built here, ours and the tests.
if(BRIDGETOWER_SANITIZE)
  add_compile_options(-fsanitize=${BRIDGETOWER_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${BRIDGETOWER_SANITIZE})
endif()
