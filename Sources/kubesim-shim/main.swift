import Shim

ShimProgram.main(CommandLine.arguments)
