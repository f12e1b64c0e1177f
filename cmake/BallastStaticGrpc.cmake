# Programs that run inside guests, linked without any shared library.
#
# The packages' CMake targets name shared libraries by path, which a static link refuses. So a static program
# does not take its Ballast libraries as targets with their dependencies, but as archives, and the packages'
# archives come from one list below; the sources are compiled the same in both cases.

# Always the archive: the shared one brings the TLS flavour of gRPC into the process, and with both flavours
# loaded their start never ends.
find_library(BALLAST_GRPC_REFLECTION_ARCHIVE libgrpc++_reflection.a REQUIRED)

if(BALLAST_STATIC_AGENT)
  find_library(BALLAST_GRPC_ARCHIVE libgrpc++_unsecure.a REQUIRED)
  cmake_path(GET BALLAST_GRPC_ARCHIVE PARENT_PATH ballast_archives)
  # Which Abseil archives gRPC needs changes with its version; the linker takes only what is used.
  file(GLOB ballast_absl_archives ${ballast_archives}/libabsl_*.a)
  set(ballast_grpc_archives grpc++_reflection grpc++_unsecure grpc_unsecure gpr protobuf upb address_sorting
      cares re2 z)
  list(TRANSFORM ballast_grpc_archives REPLACE "(.+)" "${ballast_archives}/lib\\1.a")
  foreach(archive IN LISTS ballast_grpc_archives)
    if(NOT EXISTS ${archive})
      message(FATAL_ERROR "${archive} is missing; it is needed for BALLAST_STATIC_AGENT=ON")
    endif()
  endforeach()
  add_library(ballast_grpc_static INTERFACE)
  # They refer to one another in circles. The linker warns that glibc cannot resolve host names in a static
  # program; ours never do.
  list(JOIN ballast_grpc_archives "," group)
  list(JOIN ballast_absl_archives "," absl_group)
  target_link_libraries(ballast_grpc_static INTERFACE $<LINK_GROUP:RESCAN,${group},${absl_group}>
                        Threads::Threads)
endif()

# ballast_static_executable(NAME SOURCES file... LIBRARIES target... EXTERNAL name...): LIBRARIES are all
# Ballast libraries the program uses, also indirectly; EXTERNAL are further system libraries. With
# BALLAST_STATIC_AGENT=OFF an ordinary program.
function(ballast_static_executable name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES;EXTERNAL" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ballast_settings)
  if(NOT BALLAST_STATIC_AGENT)
    target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} ${arg_EXTERNAL})
    return()
  endif()
  set(archives "")
  foreach(library IN LISTS arg_LIBRARIES)
    list(APPEND archives $<TARGET_FILE:${library}>)
    target_include_directories(${name} SYSTEM PRIVATE
      $<TARGET_PROPERTY:${library},INTERFACE_SYSTEM_INCLUDE_DIRECTORIES>)
  endforeach()
  add_dependencies(${name} ${arg_LIBRARIES})
  list(TRANSFORM arg_EXTERNAL REPLACE "(.+)" "${ballast_archives}/lib\\1.a")
  target_link_libraries(${name} PRIVATE
    -Wl,--start-group ${archives} -Wl,--end-group ${arg_EXTERNAL} ballast_grpc_static)
  target_link_options(${name} PRIVATE -static -Wl,--gc-sections $<$<NOT:$<CONFIG:Debug>>:-s>)
  set_target_properties(${name} PROPERTIES LINK_DEPENDS "${archives}")
endfunction()
