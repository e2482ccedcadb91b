# What `cmake --install` puts where, so that find_package(BridgeTower CONFIG) works from any prefix.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/BridgeTower)
install(TARGETS bridgetower EXPORT BridgeTowerTargets)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/bridgetower DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        PATTERN sentencepiece EXCLUDE)
install(EXPORT BridgeTowerTargets NAMESPACE BridgeTower:: DESTINATION ${package_dir})
if(TARGET bridgetower_sentencepiece)
  install(TARGETS bridgetower_sentencepiece EXPORT BridgeTowerSentencePieceTargets)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/bridgetower/sentencepiece
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/bridgetower)
  install(EXPORT BridgeTowerSentencePieceTargets NAMESPACE BridgeTower:: DESTINATION ${package_dir})
endif()
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/BridgeTowerConfig.cmake.in
  ${PROJECT_BINARY_DIR}/BridgeTowerConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/BridgeTowerConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/BridgeTowerConfig.cmake
              ${PROJECT_BINARY_DIR}/BridgeTowerConfigVersion.cmake
        DESTINATION ${package_dir})

# pkg-config finds its way from where bridgetower.pc lies. A static library leaves what it needs to its user.
file(RELATIVE_PATH pc_to_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
set(pc_requires "eigen3 >= 3.4")
set(pc_libs -pthread)
if(BRIDGETOWER_HAS_LIBJPEG_TURBO AND NOT BUILD_SHARED_LIBS)
  string(APPEND pc_requires ", libjpeg")
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/bridgetower.pc.in ${PROJECT_BINARY_DIR}/bridgetower.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/bridgetower.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
