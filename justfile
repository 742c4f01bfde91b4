# What people type often. `just` lists it.

_default:
    @just --list

# what CI runs
check:
    .ci/run

# the whole daemon on sample sources, in a temporary store
demo *arguments:
    cargo run --release -- demo {{arguments}}

# tests whose names contain a word: just test config::
test *filter:
    cargo test {{filter}}

# kills the daemon so many times, and shows that nothing is lost or doubled: just recovery 50
recovery rounds="50":
    RASID_ROUNDS={{rounds}} cargo test --test it recovery -- --nocapture

# kills a process that writes into a store so many times: just crash 500
crash rounds="500":
    RASID_ROUNDS={{rounds}} cargo test --test it store::crash -- --nocapture

# five consumers of each kind, restarted with the daemon at random for so many minutes: just everyone 30
everyone minutes="30":
    RASID_REQUIRE_NATS=1 RASID_MINUTES={{minutes}} cargo test --test it everyone -- --nocapture

# fills small disks, and makes writing and syncing fail, so many times each: just full-disk 50
full-disk rounds="50":
    RASID_REQUIRE_ALL=1 RASID_ROUNDS={{rounds}} cargo test --test it store::full -- --nocapture
    RASID_REQUIRE_ALL=1 RASID_ROUNDS={{rounds}} cargo test --test it store::failing -- --nocapture

# damages the files of a store, one byte or one end at a time: just damage 2000 200
damage flips="2000" truncations="200":
    RASID_WITHIN=10 RASID_FLIPS={{flips}} RASID_TRUNCATIONS={{truncations}} cargo test --test it store::damage -- --nocapture

# holds a parser to its laws on made-up input, for minutes: just fuzz feed 10
fuzz target minutes="10":
    fuzz/run {{target}} {{minutes}}

# made-up requests to every route, held to /openapi.json (needs schemathesis): just schemathesis 400
schemathesis cases="400":
    tests/schemathesis {{cases}}

# how fast feeds are read, beside feed_rs alone and Python's feedparser (PYTHON names the interpreter that has it)
bench-feeds:
    cargo bench --bench feeds

# formats the sources
fmt:
    cargo fmt

# the documentation of the library
doc:
    cargo doc --no-deps --open

# makes docs/forms.md from tests/fixtures/forms.txt
forms:
    RASID_WRITE_FORMS=1 cargo test --test it forms::the_docs_show_the_same_table
