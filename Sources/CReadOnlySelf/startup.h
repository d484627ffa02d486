#ifndef CREADONLYSELF_STARTUP_H
#define CREADONLYSELF_STARTUP_H

/// The program's arguments, from its first instruction on.
extern int startup_argc;
extern char **startup_argv;
/// Whether its command is one that enters containers.
extern int startup_enters;
#endif
