//! Redirects: followed, but not for ever.

use crate::running::{Server, fetch};

#[test]
fn they_are_followed_wherever_they_lead_by_http() {
    let server = Server::misbehaving();
    for (path, length, hops) in [
        ("/redirects/1", "7", "redirect)"),
        ("/redirects/10", "7", "redirects)"),
        ("/relative/x", "7", "redirect)"),
        ("/see-other", "8", "redirect)"),
        ("/by-name", "9", "redirect)"),
    ] {
        let url = server.url(path);
        let said = fetch(&[&url]);
        assert_eq!(said.code, Some(0), "{said:?}");
        let row = said.row(&url);
        assert_eq!((row[1], row.last()), (length, Some(&hops)), "{said:?}");
    }
}

#[test]
fn too_many_and_circles_are_failures() {
    let server = Server::misbehaving();
    let circle = server.url("/circle/a");
    for (arguments, path, reason) in [
        (&[][..], "/redirects/11", "more than 10 redirects"),
        (&["--redirects", "0"], "/redirects/1", "more than 0 redirects"),
        (&[], "/circle/a", &*format!("redirected in a circle, to {circle}")),
        (&[], "/nowhere", "the server answered 302, but not where to look instead"),
        (&[], "/away", "cannot fetch by file"),
    ] {
        let url = server.url(path);
        let said = fetch(&[arguments, &[&*url]].concat());
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.reason(&url).contains(reason), "{said:?}");
    }
}
