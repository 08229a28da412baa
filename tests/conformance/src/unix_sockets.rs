//! Unix sockets: behaviours 317 and 318, and our own from 1980.

use crate::case::Case;

cases_where! {
    unix, "there are no Unix sockets on this platform",
    real {
        317 a_closed_unix_server_removes_its_own_path
        318 a_path_that_is_gone_is_no_error
        1980 both_ends_know_their_names_and_whom_they_talk_to
        1981 a_stale_socket_is_replaced_and_another_file_is_not
        1982 abstract_names_leave_no_file
        1983 a_name_that_cannot_be_one_says_why
        1984 protocols_are_told_in_order_over_unix_sockets
        1985 a_full_listener_is_waited_for_but_not_for_ever
        1986 sockets_of_the_program_use_paths_too
    };
    Case {
        number: 1987,
        name: "without_unix_sockets_a_program_is_told_what_to_use",
        run: lacking::without_unix_sockets_a_program_is_told_what_to_use,
    },
}

#[cfg(windows)]
mod lacking {
    use crate::case::{Failure, Outcome};
    use crate::real::run;
    use molen::net::{UnixRefused, open_unix_connection, start_unix_server};

    pub(super) fn without_unix_sockets_a_program_is_told_what_to_use() -> Outcome {
        run(async {
            let Err(error) = open_unix_connection("x.sock").await else {
                return Err(Failure::said("it was connected"));
            };
            check_matches!(
                error.cause,
                UnixRefused::Source(molen::io::source::SourceError::Unsupported(_))
            );
            check_eq!(
                std::format!("{error}"),
                "cannot connect to x.sock: a Unix socket is not supported on Windows: \
                 the standard library and mio have none there; use TCP on 127.0.0.1"
            );
            let serving =
                start_unix_server("x.sock", async |_reader, _writer| Ok::<_, Failure>(()));
            check_eq!(
                serving.await.map_err(|error| error.kind()).err(),
                Some(std::io::ErrorKind::Unsupported)
            );
            Ok(())
        })
    }
}

#[cfg(not(windows))]
mod lacking {
    use crate::case::{Failure, Outcome};

    pub(super) fn without_unix_sockets_a_program_is_told_what_to_use() -> Outcome {
        Err(Failure::Unsupported("not applicable: it is about Windows"))
    }
}
