//! One of several outputs, and whose it is.

macro_rules! either {
    ($name:ident, $count:literal: $($variant:ident $type:ident $th:literal),*) => {
        #[doc = concat!("The output of the first that was ready of ", $count, " futures.")]
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $name<$($type),*> {
            $(
                #[doc = concat!("Of the ", $th, ".")]
                $variant($type),
            )*
        }
    };
}

either!(Either, "two": First A "first", Second B "second");
either!(Either3, "three": First A "first", Second B "second", Third C "third");
either!(Either4, "four": First A "first", Second B "second", Third C "third", Fourth D "fourth");
either!(Either5, "five": First A "first", Second B "second", Third C "third", Fourth D "fourth", Fifth E "fifth");
either!(Either6, "six": First A "first", Second B "second", Third C "third", Fourth D "fourth", Fifth E "fifth", Sixth F "sixth");
either!(Either7, "seven": First A "first", Second B "second", Third C "third", Fourth D "fourth", Fifth E "fifth", Sixth F "sixth", Seventh G "seventh");
either!(Either8, "eight": First A "first", Second B "second", Third C "third", Fourth D "fourth", Fifth E "fifth", Sixth F "sixth", Seventh G "seventh", Eighth H "eighth");
