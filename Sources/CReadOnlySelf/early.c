// Before anything of Swift's runtime is set up: a command that enters containers starts again from a read-only mount of this
// program (CVE-2019-5736). The same is done once more, and its failure told, by ReadOnlySelf; here it only comes earlier, so
// that the runtime isn't set up twice.
#include "CReadOnlySelf.h"
#include "CLinux.h"
#include <string.h>

static const char *command(int argc, char **argv) {
    static const char *const with_value[] = {"root", "log", "log-format", "rootless", "criu"};
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (word[0] != '-') return word;
        word += strspn(word, "-");
        for (size_t n = 0; n < sizeof(with_value) / sizeof(with_value[0]); n++) {
            if (strcmp(word, with_value[n]) == 0) i++;
        }
    }
    return "";
}

__attribute__((constructor(101))) static void start_from_readonly(int argc, char **argv) {
    static const char *const entering[] = {"create", "run", "exec", "restore"};
    const char *word = command(argc, argv);
    for (size_t n = 0; n < sizeof(entering) / sizeof(entering[0]); n++) {
        // Comes back when it is there already, or can't be done.
        if (strcmp(word, entering[n]) == 0) sys_run_from_readonly(argv);
    }
}
