import CReadOnlySelf
import Glibc
import OCIRuntime

restore_environment()
exit(OCIRuntime.main(CommandLine.arguments))
