//! Debug mode from outside: the environment variable, and where reports go.

use std::process::Command;
use std::time::Duration;

const CHILD: &str = "MOLEN_DEBUG_MODE_TEST";

fn slow_function() {
    std::thread::sleep(Duration::from_millis(120));
}

#[test]
fn the_environment_turns_debug_mode_on_and_reports_go_to_standard_error() {
    if std::env::var_os(CHILD).is_some() {
        let event_loop = molen_std::new_event_loop().expect("a loop");
        event_loop.call_soon(slow_function).expect("the loop is open");
        event_loop.turn(Some(Duration::ZERO)).expect("it turns");
        return;
    }
    for (value, on) in [("1", true), ("0", false), ("", false)] {
        let output = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "--nocapture"])
            .arg("the_environment_turns_debug_mode_on_and_reports_go_to_standard_error")
            .env(CHILD, "")
            .env("MOLEN_DEBUG", value)
            .output()
            .expect("a child");
        let errors = String::from_utf8_lossy(&output.stderr);
        let reported = errors.contains("slow callback: callback debug_mode::slow_function took 1");
        assert!(output.status.success());
        assert_eq!(reported, on, "MOLEN_DEBUG={value:?}: {errors}");
    }
}
