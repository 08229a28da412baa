//! A folder as a page of links.

use crate::target::{Target, encode};
use cap_std::fs::Dir;
use std::fmt::Write as _;
use std::io;

/// One line of the page.
struct Line {
    folder: bool,
    name: String,
    size: u64,
}

/// The page of the folder at `target`: folders first, by name. Names that are
/// no Unicode are left out: nobody could ask for them.
pub fn page(root: &Dir, target: &Target, hidden: bool) -> io::Result<String> {
    let mut lines = Vec::new();
    for entry in root.read_dir(target.path())? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.starts_with('.') && !hidden {
            continue;
        }
        // Through links, which may lead nowhere, or away.
        let Ok(metadata) = root.metadata(target.path().join(&name)) else { continue };
        if metadata.is_file() || metadata.is_dir() {
            lines.push(Line { folder: metadata.is_dir(), name, size: metadata.len() });
        }
    }
    lines.sort_by(|a, b| b.folder.cmp(&a.folder).then_with(|| a.name.cmp(&b.name)));
    Ok(html(target, &lines))
}

fn html(target: &Target, lines: &[Line]) -> String {
    let title = escape(&format!("/{}", target.names.join("/")));
    let mut page = format!(
        "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body>\n<h1>{title}</h1>\n<ul>\n"
    );
    if !target.names.is_empty() {
        page.push_str("<li><a href=\"../\">../</a></li>\n");
    }
    for Line { folder, name, size } in lines {
        let slash = if *folder { "/" } else { "" };
        // `./`: a name with a colon is no scheme.
        let (link, text) = (escape(&encode(name)), escape(name));
        // Writing to a String does not fail.
        let _ = write!(page, "<li><a href=\"./{link}{slash}\">{text}{slash}</a>");
        if !*folder {
            let _ = write!(page, " {size}");
        }
        page.push_str("</li>\n");
    }
    page.push_str("</ul>\n</body>\n</html>\n");
    page
}

/// Text for HTML, within and without quotes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place_in_the_page() {
        let target = Target::parse("/%3Cb%3E/").expect("a path");
        let line = |name: &str, folder| Line { folder, name: name.to_owned(), size: 5 };
        let page = html(&target, &[line("a\"b'c&d", false), line("x:y z", true)]);
        assert!(page.contains("<h1>/&lt;b&gt;</h1>"), "{page}");
        assert!(
            page.contains("<a href=\"./a%22b&#39;c&amp;d\">a&quot;b&#39;c&amp;d</a> 5<"),
            "{page}"
        );
        assert!(page.contains("<a href=\"./x:y%20z/\">x:y z/</a></li>"), "{page}");
        assert!(page.contains("../"), "{page}");
    }
}
