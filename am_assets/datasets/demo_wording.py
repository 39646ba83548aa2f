"""The wordings of the demo's arithmetic questions. Only text belongs here; `demo.py` fills in the placeholders.

Embeddings hardly depend on numbers: two sums in one wording would be near-duplicates. So there are many wordings, with
varying names, things, places and phrases. `{a}`, `{b}`, `{c}` are the numbers, `{n}` and `{m}` people, `{x}` a plural
noun, `{p}` a place; one alternative of `(one|two|three)` is chosen. Wordings are keyed by the signs of the numbers
after the first.
"""

NAMES = (
    "Ada|Amir|Anna|Bela|Ben|Carla|Chen|Dana|Dev|Elif|Emil|Fatima|Finn|Grace|Hana|Hugo|Ines|Ivan|Jada|Jonas|Kira|"
    "Kofi|Lara|Leo|Lin|Maja|Marco|Mina|Nadia|Nils|Olga|Omar|Petra|Quinn|Rafi|Rosa|Sami|Tara|Theo|Uma|Vera|Wim|"
    "Yara|Zeno"
)

THINGS = (
    "marbles|stamps|seashells|buttons|pine cones|comic books|postcards|candles|teacups|kites|paper planes|"
    "toy cars|lanterns|puzzle pieces|coins|feathers|beads|chestnuts|magnets|pencils|balloons|ribbons|keys|"
    "flower pots|records|dominoes|badges|notebooks|cushions|spoons|light bulbs|umbrellas|bricks|acorns|fossils|"
    "masks|socks|bookmarks|board games|posters|jam jars|tulip bulbs|maps|batteries|whistles|scarves|drumsticks|"
    "photographs|snow globes|tiles"
)

PLACES = (
    "at the harbour|in the attic|at school|in the garden|at the museum|on the beach|in the workshop|"
    "at the market|at the station|in the library|in the forest|at the fair|on the farm|in the kitchen|"
    "at the office|in the park|at the campsite|in the barn|at the theatre|by the lake|at the bakery|"
    "in the cellar|on the ferry|at the stadium"
)

WORDINGS: dict[str, list[str]] = {
    "+": [
        "{n} finds {a} {x} {p} and later {b} more. How many {x} does {n} have?",
        "There are {a} {x} in a (red|blue|wooden) box and {b} in a (tin|basket|drawer). How many {x} is that?",
        "In {b} years, how old will {n} be, who turned {a} (today|last week|this spring)?",
        "{n} (walks|cycles|rides) {a} km, eats {p} and goes on for {b} km. How far is the whole (tour|trip|day)?",
        "{n} reads {a} pages of a (thriller|fairy tale|cookbook) in bed and {b} on the train. How many pages is that?",
        "At dawn it is {a} degrees {p}; by noon it is {b} degrees warmer. What is the temperature at noon?",
        "For a (cake|stew|pie), {n} needs {a} grams of (sugar|lentils) and {b} of (butter|rice|nuts). Total weight?",
        "{p} the (owls|wolves|tigers) score {a} points with {n} and {b} with {m}. What is the final score?",
        "{p} {n} pays {a} dollars for (shoes|a drill|a tent) and {m} {b} for (a hat|paint). What is it together?",
        "{n} milks {a} (cows|goats|sheep) at dawn and {m} does {b} in the evening. How many milkings is that?",
        "One (shelf|trolley|truck) carries {a} {x}, the other one {b}. Altogether they carry how many?",
        "{n} joins two (hoses|planks|carpets) of {a} and {b} feet {p}. What is their full length in feet?",
        "{p} there are {a} girls and {b} boys {n} knows. How many children does {n} know there?",
        "{n} did {a} (push-ups|jumps|laps) {p} and, after a rest with {m}, {b} more. Count them all.",
        "Baking takes {a} minutes and cooling {b}. After how many minutes may {m} and {n} eat the (pie|muffins) {p}?",
        "{n} sends {a} (letters|emails|invitations) and {m} sends {b}. How many are on their way?",
        "A (choir|band|dance group) of {a} {p} takes in {b} friends of {n}. What is its size after that?",
        "During the storm {a} (oaks|birches|fences) fell {p} and {b} along the road. How many fell in total?",
        "{n} speaks with {a} customers by phone and {b} {p}. With how many customers did {n} speak?",
        "(Calculate|Work out|Find) the sum of {a} and {b}.",
        "I think of a number: it is {b} larger than {a}. Which number (do I mean|is it)?",
    ],
    "-": [
        "{n} had {a} {x}, but {b} of them (broke|got lost|were stolen) {p}. How many are left?",
        "Out of {a} {x} {p}, {m} gives away {b}. What number of {x} remains?",
        "{n} is {a} years old. {m}, (a cousin|a neighbour|the little sister), is {b} years younger. How old is {m}?",
        "The (village|castle|summit) lies {a} km away and {n} has already covered {b} km. How many km are to go?",
        "The (novel|atlas|diary) {n} found {p} has {a} pages, of which {b} are read. How many pages are unread?",
        "{n}'s (soup|oven|pool|sauna) {p} was at {a} degrees and cooled by {b}. How warm is it now?",
        "The recipe {n} found {p} asks for {a} (eggs|lemons|carrots|onions); {m} has only {b}. How many are missing?",
        "{n} won the (chess|darts|quiz) evening with {a} points, {m} had {b}. By how many points did {n} win?",
        "A (jacket|lamp|teapot) costs {a} euros; with a voucher of {b} euros, what does {n} pay?",
        "With a {a} dollar gift card {m} buys (headphones|perfume|skates) for {b} dollars. How much stays on the card?",
        "{n} saved {a} coins in a piggy bank and spent {b} {p}. How much is still in it?",
        "Of {a} (apples|pears|plums|peaches) in the crate, {b} are rotten. How many can {n} still eat?",
        "{p} a (tower|ladder|tree) of {a} metres stands by {n}'s (shed|wall|bush) of {b}. What is the difference?",
        "{m} cuts {b} cm off a (rope|plank|ribbon|pipe) of {a} cm. How long is the rest?",
        "In {n}'s class of {a} pupils {b} (are ill|went skiing|overslept) today. How many are in the room?",
        "Of the {a} seats in the (cinema|circus|opera|arena), {b} are taken when {n} and {m} come. How many are free?",
        "The (meeting|film|concert) lasts {a} minutes and {b} minutes are over. How long must {n} still wait?",
        "A phone at {a} percent loses {b} percent while {n} (plays|films|navigates) {p}. What does the battery show?",
        "{n}'s (bucket|tank|barrel) {p} holds {a} litres; {b} (leak|are poured) out. How much (water|oil) stays?",
        "{n} must fold {a} (napkins|shirts|leaflets) {p} and has finished {b}. How many are still to do?",
        "{n} counts {a} candidates for the (council|team|prize) {p}; {b} withdraw. How many stay in the race?",
        "If {a} (frogs|ducks|swans|herons) sit {p} and {b} of them follow {n}, how many stay behind?",
        "A puzzle of {a} tiles lacks {b} because the (dog|baby|cat) ate them. How many tiles are there?",
        "(What do you get|What is left) when {b} is taken from {a}?",
        "Which number must be added to {b} to (reach|make) {a}?",
    ],
    "++": [
        "{p} someone counted {a} {x} on Monday, {b} on Tuesday and {c} on Friday. Give the total.",
        "{n} drives a (van|bus) {a} km to the (port|depot), {b} km to the (mill|hotel), {c} km home. How far is it?",
        "In three rounds of (bowling|golf|cards) {n} gets {a}, {b} and {c}. What do they come to?",
        "{n} plants {a} (roses|tulips|beans), {b} (lilies|herbs|peas) and {c} (ferns|leeks). How many grow there?",
        "{n} weighs three (crates|parcels|suitcases) {p}: {a} kg, {b} kg and {c} kg. How heavy are they together?",
        "{a} + {b} + {c} = ?",
    ],
    "+-": [
        "{n} owns {a} {x}, buys {b} and then sells {c}. How many {x} does {n} own at the end?",
        "{n} drives a (train|tram|ferry) with {a} passengers. {p} {b} get on and {c} get off. How many ride on?",
        "{n}'s (hen house|kennel|stable) {p} holds {a} animals. {b} arrive, {c} are sold. How many live there?",
        "{n} climbs {a} steps, then {b} more, and comes down {c}. On which step does {n} stand?",
        "The (library|toy shop|archive) counts {a} {x}; {b} come back and {c} go out. What is the stock?",
    ],
    "-+": [
        "From {a} {x}, {n} lends {b} to {m} and gets {c} new ones as a present. How many now?",
        "On {n}'s (bus|boat|cable car) sat {a} people; {p} {b} left and {c} came in. How many sit there now?",
        "{n} takes the lift {p} from floor {a} down {b} floors and then up {c}. Where does {n} get out?",
    ],
}

# Questions unsuitable for a text-only student: link, image, truncated, table, another language.
UNSUITABLE = [
    "Open https://example.org/tables/prices.html and tell me what 14 of the cheapest tickets cost together.",
    "See www.example.com/quiz-17 for the numbers. What is their sum?",
    "In the image below, how many red triangles touch the blue circle? ![figure](triangles.png)",
    "Look at the attached picture. Which of the two trees is taller, and by how much?",
    "A baker sells 23 rolls in the morning and 18 in the afternoon. On Sundays it opens only for two hours, so the",
    "Mila has 31 stickers, gives 12 of them to her brother, and then she",
    "Add the amounts.\n\n| item | price |\n|---|---|\n| rope | 12 |\n| saw | 30 |\n\nWhat is the total price?",
    "Lucía compra 17 naranjas en el mercado y su vecino le regala otras 8. ¿Cuántas naranjas tiene Lucía ahora?",
    "Un jardinier plante 24 rosiers le matin et 13 rosiers l'après-midi. Combien de rosiers a-t-il plantés en tout ?",
]
