//! Windows: what children and consoles leave behind, and a console as standard
//! input and output.
#![cfg(windows)]

mod local;

use local::run;
use molen_core::{Duration, timeout};
use molen_std::pipe;
use molen_std::subprocess::{Command, create_subprocess_exec};
use std::fs::{File, OpenOptions};
use std::os::windows::io::{AsRawHandle, IntoRawHandle};
use std::os::windows::process::CommandExt;
use windows_sys::Win32::System::Console::{
    INPUT_RECORD, INPUT_RECORD_0, KEY_EVENT, KEY_EVENT_RECORD, KEY_EVENT_RECORD_0,
    STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, SetStdHandle, WriteConsoleInputW,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, GetProcessHandleCount};

/// A console of its own, of which nothing is seen.
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

/// This program, as the test `name` that is a child.
fn child(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--nocapture", name]).env("MOLEN_CHILD", name);
    command
}

fn is_child(name: &str) -> bool {
    std::env::var_os("MOLEN_CHILD").is_some_and(|its| its == name)
}

fn handles() -> u32 {
    let mut count = 0;
    // SAFETY: the number is written to.
    assert_ne!(unsafe { GetProcessHandleCount(GetCurrentProcess(), &mut count) }, 0);
    count
}

#[test]
fn as_a_child_it_says_nothing() {}

#[test]
fn children_leave_no_handles() {
    run(async {
        let one = async || {
            let mut command = child("as_a_child_it_says_nothing");
            let mut process = create_subprocess_exec(command.pipes()).await.unwrap();
            process.communicate(Some(b"unread")).await.unwrap();
        };
        // What the system keeps from the first on.
        for _ in 0..3 {
            one().await;
        }
        let before = handles();
        for _ in 0..8 {
            one().await;
        }
        // Its waiting threads come and go.
        assert!(handles() <= before + 4, "{before} handles have become {}", handles());
    });
}

#[test]
fn pipes_with_threads_leave_no_handles() {
    run(async {
        let one = async || {
            let (reader, writer) = std::io::pipe().unwrap();
            let reader = pipe::ReadPipe::new(reader).unwrap();
            let writer = pipe::WritePipe::new(writer).unwrap();
            writer.write_all(b"through").await.unwrap();
            drop(writer);
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).await.unwrap();
            assert_eq!(bytes, b"through");
        };
        one().await;
        let before = handles();
        for _ in 0..8 {
            one().await;
        }
        // A thread that was told to end may not have yet.
        let mut patience = 100;
        while handles() > before + 2 && patience > 0 {
            std::thread::sleep(std::time::Duration::from_millis(20));
            patience -= 1;
        }
        assert!(handles() <= before + 2, "{before} handles have become {}", handles());
    });
}

/// Presses a key at the console.
fn press(console: &File, key: u16) {
    let record = INPUT_RECORD {
        EventType: KEY_EVENT as u16,
        Event: INPUT_RECORD_0 {
            KeyEvent: KEY_EVENT_RECORD {
                bKeyDown: 1,
                wRepeatCount: 1,
                // Enter is known by its place, the others by what is on them.
                wVirtualKeyCode: if key == 13 { 13 } else { 0 },
                wVirtualScanCode: 0,
                uChar: KEY_EVENT_RECORD_0 { UnicodeChar: key },
                dwControlKeyState: 0,
            },
        },
    };
    let mut count = 0;
    // SAFETY: one record is given, and the number is written to.
    let written = unsafe { WriteConsoleInputW(console.as_raw_handle(), &record, 1, &mut count) };
    assert!(written != 0 && count == 1, "{}", std::io::Error::last_os_error());
}

fn console(name: &str) -> File {
    OpenOptions::new().read(true).write(true).open(name).unwrap()
}

#[test]
fn as_a_child_with_a_console_it_reads_what_is_typed() {
    if !is_child("as_a_child_with_a_console_it_reads_what_is_typed") {
        return;
    }
    let (input, output) = (console("CONIN$"), console("CONOUT$"));
    let keyboard = console("CONIN$");
    // SAFETY: both are open, and from here on the process's.
    unsafe {
        SetStdHandle(STD_INPUT_HANDLE, input.into_raw_handle());
        SetStdHandle(STD_OUTPUT_HANDLE, output.into_raw_handle());
    }
    run(async {
        let (input, output) = (pipe::stdin().unwrap(), pipe::stdout().unwrap());
        let mut line = [0; 64];
        // Nobody has typed anything, and the loop goes on.
        let early = timeout(Duration::from_millis(100), input.read(&mut line)).await;
        assert!(early.is_err());
        // What comes outside of ASCII comes as UTF-8.
        for key in "mölen\r".encode_utf16() {
            press(&keyboard, key);
        }
        let length = timeout(Duration::from_secs(20), input.read(&mut line)).await;
        assert_eq!(std::str::from_utf8(&line[..length.unwrap().unwrap()]), Ok("mölen\r\n"));
        output.write_all("gemölen\r\n".as_bytes()).await.unwrap();
    });
    std::process::exit(33);
}

#[test]
fn a_console_is_a_standard_input_and_output() {
    run(async {
        let mut command = child("as_a_child_with_a_console_it_reads_what_is_typed");
        command.as_std_mut().creation_flags(CREATE_NO_WINDOW);
        let mut process = create_subprocess_exec(command.pipes()).await.unwrap();
        let output = process.communicate(None).await.unwrap();
        let errors = String::from_utf8_lossy(output.stderr.as_deref().unwrap_or_default());
        assert_eq!(output.status.code(), Some(33), "{errors}");
    });
}
