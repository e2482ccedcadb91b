# bridgetower_exports(target): as a shared library it exports only our own symbols. Its objects stay those of the
# static library, whose extern templates and exceptions users share either way.
function(bridgetower_exports target)
  if(NOT BUILD_SHARED_LIBS OR APPLE)
    return()
  endif()
  set(map ${PROJECT_SOURCE_DIR}/cmake/exports.map)
  target_link_options(${target} PRIVATE LINKER:--version-script=${map} LINKER:--no-undefined)
  set_target_properties(${target} PROPERTIES DEFINE_SYMBOL "" LINK_DEPENDS ${map})
endfunction()
