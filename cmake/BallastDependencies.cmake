# Every third-party dependency, found once. All are Debian 12 packages; ./dev names them.

find_package(Threads REQUIRED)
find_package(absl REQUIRED CONFIG)
find_package(Protobuf REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS program_options json)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(GRPC REQUIRED IMPORTED_TARGET grpc++_unsecure)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)
# The archive: the shared one loads the secure gRPC beside the unsecure one, and grpc_init never returns.
include(GoogleTest)

# gRPC without TLS: the link is vsock or a Unix socket, the identity is the connection.
add_library(ballast_grpc INTERFACE)
target_link_libraries(ballast_grpc INTERFACE PkgConfig::GRPC protobuf::libprotobuf Threads::Threads)
