/// `--help`.
enum Usage {
    static let text = """
        kubesim-oci - runs containers by the OCI runtime specification, with runc's command line

        Usage: kubesim-oci [--root DIR] [--log FILE] [--log-format text|json] [--debug] COMMAND

          create  [--bundle DIR] [--pid-file FILE] [--console-socket SOCKET] [--no-new-keyring] [--preserve-fds N] ID
          start   ID
          run     [create's flags] [--detach] [--keep] ID
          state   ID
          kill    [--all] ID [SIGNAL]
          delete  [--force] ID
          exec    [--process FILE] [--tty] [--detach] [--cwd DIR] [--env NAME=VALUE] [--user UID[:GID]]
                  [--additional-gids GID] [--cap CAP] [--no-new-privs] [--pid-file FILE] [--console-socket SOCKET]
                  [--preserve-fds N] [--ignore-paused] ID [COMMAND…]
          list    [--format table|json] [--quiet]
          ps      [--format table|json] ID [ps options]
          spec    [--bundle DIR]
          features

        A container's state lies below --root, /run/kubesim-oci by default.

        """
}
