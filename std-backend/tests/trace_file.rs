//! A trace file is a whole JSON document at any time, and its events nest.

use molen_core::{create_task, sleep};
use molen_std::trace::TraceFile;
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn leaked(path: &Path) -> &'static TraceFile {
    Box::leak(Box::new(TraceFile::create(path).expect("the file can be made")))
}

fn events(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("there is a file");
    match serde_json::from_str(&text).expect("it is JSON") {
        Value::Array(events) => events,
        other => panic!("not an array: {other}"),
    }
}

fn text<'a>(event: &'a Value, key: &str) -> &'a str {
    event[key].as_str().unwrap_or("")
}

async fn nap(name: &'static str) -> &'static str {
    sleep(Duration::from_millis(2)).await;
    name
}

/// Runs some tasks and callbacks in a loop with a tracer.
fn run_some(file: &'static TraceFile) {
    let event_loop = molen_std::new_event_loop().expect("a loop");
    event_loop.set_tracer(Some(file));
    event_loop
        .run_until_complete(async {
            let naps = ["a", "b \"quoted\""].map(|name| {
                let task = create_task(nap(name)).expect("the loop is open");
                task.set_name(name).expect("names are on the heap");
                task
            });
            for task in naps {
                task.await.expect("nobody cancels it");
            }
        })
        .expect("it runs");
    event_loop.call_soon(|| ()).expect("the loop is open");
    event_loop.turn(Some(Duration::ZERO)).expect("it turns");
    event_loop.close().expect("it does not run");
}

/// Checks that begins and ends on each thread nest, and that time goes forward.
fn check_nesting(events: &[Value], all_closed: bool) {
    let mut open = HashMap::<u64, Vec<&str>>::new();
    let mut last = HashMap::<u64, f64>::new();
    for event in events.iter().filter(|event| text(event, "ph") != "M") {
        let thread = event["tid"].as_u64().expect("a thread");
        let time = event["ts"].as_f64().expect("a time");
        assert!(time >= *last.get(&thread).unwrap_or(&0.0), "time goes back at {event}");
        last.insert(thread, time);
        let stack = open.entry(thread).or_default();
        match text(event, "ph") {
            "B" => {
                assert_eq!(stack.is_empty(), text(event, "name") == "turn", "{event}");
                assert!(stack.len() < 2, "{event} within {stack:?}");
                stack.push(text(event, "name"));
            }
            "E" => assert_eq!(stack.pop(), Some(text(event, "name")), "{event}"),
            _ => {}
        }
    }
    assert!(!all_closed || open.values().all(Vec::is_empty), "left open: {open:?}");
}

#[test]
fn the_events_of_a_run_nest_and_their_times_go_forward() {
    let path = path("nested.json");
    run_some(leaked(&path));
    let events = events(&path);
    check_nesting(&events, true);
    let count = |phase: &str, name: &str| {
        let is = |event: &&Value| text(event, "ph") == phase && text(event, "name").ends_with(name);
        events.iter().filter(is).count()
    };
    assert_eq!(count("b", "trace_file::nap"), 2, "created");
    assert_eq!(count("e", "trace_file::nap"), 2, "ended");
    assert_eq!(count("B", "trace_file::nap"), 4, "two steps each");
    assert!(count("B", "sleep") >= 1);
    assert_eq!(count("B", "{{closure}}"), 1, "the callback");
    assert_eq!(count("i", "timer set"), 2);
    assert_eq!(count("i", "timer fired"), 2);
    let named = |name: &str| events.iter().any(|event| event["args"]["name"] == *name);
    assert!(named("a") && named("b \"quoted\""));
    // Each step of a task is at the end of an arrow.
    assert_eq!(count("s", "wake"), count("f", "wake"));
    let turns = events.iter().filter(|event| {
        text(event, "ph") == "E" && event["args"]["ran"].as_u64().is_some_and(|ran| ran > 0)
    });
    assert!(turns.count() >= 3);
}

#[test]
fn loops_on_several_threads_share_a_file() {
    let path = path("threads.json");
    let file = leaked(&path);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| run_some(file));
        }
    });
    let events = events(&path);
    check_nesting(&events, true);
    let mut threads: Vec<u64> = events.iter().filter_map(|event| event["tid"].as_u64()).collect();
    threads.sort_unstable();
    threads.dedup();
    assert_eq!(threads.len(), 3);
}

#[test]
fn a_file_that_cannot_be_written_stops_the_trace_and_not_the_loop() {
    // Every write to it fails, the first included where it is not buffered.
    let full = Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    assert!(TraceFile::create(full).is_err());
}

/// The file of a process that is killed in the middle of a step.
#[test]
fn the_file_of_a_killed_process_is_whole() {
    const CHILD: &str = "MOLEN_TRACE_FILE_TEST";
    if let Ok(path) = std::env::var(CHILD) {
        let event_loop = molen_std::new_event_loop().expect("a loop");
        event_loop.set_tracer(Some(leaked(Path::new(&path))));
        let _ = event_loop.run_until_complete(async {
            for _ in 0..60 {
                nap("child").await;
            }
            // Not a sleep of the loop: what came before it is written.
            println!("ready");
            std::thread::sleep(Duration::from_secs(60));
        });
        return;
    }
    let path = path("killed.json");
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "the_file_of_a_killed_process_is_whole", "--nocapture"])
        .env(CHILD, &path)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("a child");
    let output = std::io::BufReader::new(child.stdout.take().expect("its output"));
    let ready = std::io::BufRead::lines(output).any(|line| line.is_ok_and(|line| line == "ready"));
    child.kill().expect("it lives");
    child.wait().expect("it is over");
    assert!(ready, "the child said nothing");
    let events = events(&path);
    check_nesting(&events, false);
    assert!(events.len() > 50, "only {} events", events.len());
}
