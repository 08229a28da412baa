//! What the crate `tracing` sees of a loop.

use molen_core::sleep;
use molen_std::trace::Tracing;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

/// Keeps a line for each span that is made, entered, left and closed.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if ["function", "name", "message"].contains(&field.name()) {
            self.0.push_str(&format!(" {}={value:?}", field.name()));
        }
    }
}

impl Lines {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn add_span<S: Subscriber + for<'a> LookupSpan<'a>>(
        &self,
        what: &str,
        id: &Id,
        context: &Context<'_, S>,
    ) {
        let name = context.span(id).map_or("?", |span| span.metadata().name());
        self.add(format!("{what} {name}"));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, _context: Context<'_, S>) -> bool {
        metadata.target() == "molen" || metadata.target() == "tracing"
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, _id: &Id, _context: Context<'_, S>) {
        let mut fields = Fields(String::new());
        attributes.record(&mut fields);
        self.add(format!("new {}{}", attributes.metadata().name(), fields.0));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        let span = context.lookup_current().map_or("nothing", |span| span.metadata().name());
        self.add(format!("{} in {span}:{}", event.metadata().level(), fields.0));
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.add_span("enter", id, &context);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.add_span("exit", id, &context);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.add_span("close", &id, &context);
    }
}

async fn nap() {
    tracing::info!("going to sleep");
    sleep(Duration::from_millis(1)).await;
}

#[test]
fn steps_are_entries_of_their_tasks_span() {
    let lines = Lines::default();
    let subscriber = Registry::default().with(lines.clone());
    tracing::subscriber::with_default(subscriber, || {
        let event_loop = molen_std::new_event_loop().expect("a loop");
        event_loop.set_tracer(Some(&Tracing));
        event_loop.set_debug(true);
        event_loop.set_slow_callback_duration(Duration::MAX);
        drop(event_loop.create_task(nap()).expect("the loop is open"));
        event_loop.turn(Some(Duration::ZERO)).expect("it turns");
        while event_loop.next_deadline().is_some() {
            event_loop.turn(None).expect("it turns");
        }
        event_loop.close().expect("it does not run");
    });
    let lines = lines.0.lock().unwrap();
    let expected = [
        r#"new task function="tracing::nap""#,
        r#"TRACE in nothing: message=task woken function="tracing::nap""#,
        "new turn",
        "enter turn",
        "enter task",
        "INFO in task: message=going to sleep",
        "TRACE in task: message=timer set",
        "exit task",
        "exit turn",
        "close turn",
        "new turn",
        "enter turn",
        "new sleep",
        "enter sleep",
        "exit sleep",
        "close sleep",
        "TRACE in turn: message=timer fired",
        r#"TRACE in turn: message=task woken function="tracing::nap""#,
        "enter task",
        "exit task",
        "close task",
        "exit turn",
        "close turn",
    ];
    assert_eq!(*lines, expected, "{lines:#?}");
}
