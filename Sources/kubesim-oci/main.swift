import Glibc
import OCIRuntime

exit(OCIRuntime.main(CommandLine.arguments))
