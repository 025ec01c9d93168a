//! One connection from its first byte to its end, driven as the loop drives it, under whatever a client sends
//! and whenever it reads, while time passes and the server has wishes of its own.

mod client;
mod wire;
mod world;

use super::input::{Cuts, Input};
use fanfare::budget::Budget;
use fanfare::config::{Audience, Config, OwnMessages};
use fanfare::websocket::codec::Codec;
use world::World;

/// What can be done in one run.
const ACTIONS_MAX: usize = 100;

const MESSAGE_BYTES_MAX: usize = 4096;

/// The input: the sizes of reads, how the server is set up, then what happens.
pub fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let cuts = input.cuts();
    let (manner, spread) = (input.byte(), input.byte());
    let config = config(manner);
    let (budget, codec) = (Budget::new(config.limits.buffers_bytes_max), Codec::default());
    let mut world = World::new(&config, (&budget, &codec), cuts.clone(), manner, spread);
    for _ in 0..ACTIONS_MAX {
        if input.is_empty() || world.is_gone {
            break;
        }
        world.act(&mut input);
        world.turn();
    }
    let sent = world.finish();
    if manner & 64 == 0 {
        cuts_do_not_show(&config, &cuts, &sent);
    }
}

/// A client that takes everything at once gets the same, however what it sends comes in; but for the word to
/// go on, which only those are told who wait for it.
fn cuts_do_not_show(config: &Config, cuts: &Cuts, sent: &[u8]) {
    let answers = |cuts: &Cuts| {
        let (budget, codec) = (Budget::new(config.limits.buffers_bytes_max), Codec::default());
        let mut world = World::new(config, (&budget, &codec), cuts.clone(), 0, 0);
        // A head is parsed anew with each read: what is long comes in larger pieces.
        world.read_scale = 1 + sent.len() / 512;
        world.room = usize::MAX;
        world.sent.extend(sent);
        world.settle();
        wire::without_pongs(&wire::without_interim(&world.written))
    };
    let (whole, cut) = (answers(&Cuts::whole()), answers(cuts));
    let same = whole.iter().zip(&cut).take_while(|(one, other)| one == other).count();
    let shown =
        |wire: &[u8]| wire[same..].iter().take(80).copied().collect::<Vec<_>>().escape_ascii().to_string();
    assert!(whole == cut, "from byte {same} on: whole {:?}, cut {:?}", shown(&whole), shown(&cut));
}

fn config(manner: u8) -> Config {
    let mut config = Config::default();
    config.protocols = vec!["chat".to_owned()];
    config.limits.message_bytes_max = MESSAGE_BYTES_MAX;
    if manner & 1 != 0 {
        config.limits.backlog_bytes_max = 2_000;
    }
    if manner & 2 != 0 {
        config.own_messages = OwnMessages::Skip;
    }
    if manner & 4 != 0 {
        config.audience = Audience::Sender;
    }
    config
}
