# What `cmake --install` puts where, so that find_package(BridgeTower CONFIG) works from any prefix.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/BridgeTower)
install(TARGETS bridgetower EXPORT BridgeTowerTargets)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/bridgetower DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        PATTERN sentencepiece EXCLUDE PATTERN mpi EXCLUDE)
install(EXPORT BridgeTowerTargets NAMESPACE BridgeTower:: DESTINATION ${package_dir})
if(TARGET bridgetower_sentencepiece)
  install(TARGETS bridgetower_sentencepiece EXPORT BridgeTowerSentencePieceTargets)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/bridgetower/sentencepiece
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/bridgetower)
  install(EXPORT BridgeTowerSentencePieceTargets NAMESPACE BridgeTower:: DESTINATION ${package_dir})
endif()
if(TARGET bridgetower_mpi)
  install(TARGETS bridgetower_mpi EXPORT BridgeTowerMpiTargets)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/bridgetower/mpi
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/bridgetower)
  install(EXPORT BridgeTowerMpiTargets NAMESPACE BridgeTower:: DESTINATION ${package_dir})
endif()
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/BridgeTowerConfig.cmake.in
  ${PROJECT_BINARY_DIR}/BridgeTowerConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/BridgeTowerConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/BridgeTowerConfig.cmake
              ${PROJECT_BINARY_DIR}/BridgeTowerConfigVersion.cmake
        DESTINATION ${package_dir})
