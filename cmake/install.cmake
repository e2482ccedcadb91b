# What `cmake --install` puts where, so that find_package(BridgeTower CONFIG) and pkg-config work from any prefix.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/BridgeTower)

# bridgetower_install(target export): a library and its CMake target. A shared library goes with the program.
function(bridgetower_install target export)
  install(TARGETS ${target} EXPORT ${export}
    LIBRARY COMPONENT program NAMELINK_COMPONENT development
    ARCHIVE COMPONENT development)
  install(EXPORT ${export} NAMESPACE BridgeTower:: DESTINATION ${package_dir} COMPONENT development)
endfunction()

bridgetower_install(bridgetower BridgeTowerTargets)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/bridgetower DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        COMPONENT development PATTERN sentencepiece EXCLUDE PATTERN mpi EXCLUDE
        PATTERN postgres EXCLUDE)
if(TARGET bridgetower_sentencepiece)
  bridgetower_install(bridgetower_sentencepiece BridgeTowerSentencePieceTargets)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/bridgetower/sentencepiece
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/bridgetower COMPONENT development)
endif()
if(TARGET bridgetower_mpi)
  bridgetower_install(bridgetower_mpi BridgeTowerMpiTargets)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/bridgetower/mpi
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/bridgetower COMPONENT development)
endif()
if(TARGET bridgetower_postgres)
  bridgetower_install(bridgetower_postgres BridgeTowerPostgresTargets)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/bridgetower/postgres
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/bridgetower COMPONENT development)
endif()
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/BridgeTowerConfig.cmake.in
  ${PROJECT_BINARY_DIR}/BridgeTowerConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/BridgeTowerConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/BridgeTowerConfig.cmake
              ${PROJECT_BINARY_DIR}/BridgeTowerConfigVersion.cmake
        DESTINATION ${package_dir} COMPONENT development)

# pkg-config finds its way from where bridgetower.pc lies. A static library leaves what it needs to its user.
file(RELATIVE_PATH pc_to_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
set(pc_requires "eigen3 >= 3.4")
if(BRIDGETOWER_HAS_LIBJPEG_TURBO AND NOT BUILD_SHARED_LIBS)
  string(APPEND pc_requires ", libjpeg")
endif()
set(pc_libs)
if(BRIDGETOWER_HAS_ONEDNN AND NOT BUILD_SHARED_LIBS)
  set(pc_libs " -ldnnl -ldl")  # which has no pkg-config file
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/bridgetower.pc.in ${PROJECT_BINARY_DIR}/bridgetower.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/bridgetower.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

# Each Debian package has its licences where Debian looks for them.
file(READ ${PROJECT_SOURCE_DIR}/LICENSE licence)
file(READ ${PROJECT_SOURCE_DIR}/LICENSE-THIRD-PARTY third_party)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/copyright @ONLY CONTENT "@licence@\n@third_party@")
foreach(component program development)
  install(FILES ${PROJECT_BINARY_DIR}/copyright
          DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${BRIDGETOWER_PACKAGE_${component}} COMPONENT ${component})
endforeach()
set(documents README CHANGELOG SECURITY)
list(TRANSFORM documents REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/\\1.md")
set(document_dir ${CMAKE_INSTALL_DATADIR}/doc/${BRIDGETOWER_PACKAGE_program})
install(FILES ${documents} DESTINATION ${document_dir} COMPONENT program)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs DESTINATION ${document_dir} COMPONENT program)
