"""Templates and values of made-up spoken turns: what the rules were tuned on, and a bank that was held out from that."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from models.redaction import Kind


@dataclass(frozen=True)
class Bank:
    """What turns are made of. In a template `{KIND}` is a value; `calm` are turns in which nothing is to be redacted."""

    templates: Mapping[Kind, tuple[str, ...]]
    calm: tuple[str, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    domains: tuple[str, ...]
    streets: tuple[str, ...]
    towns: tuple[str, ...]
    fillers: tuple[str, ...]
    corrections: tuple[str, ...]
    letter_words: Mapping[str, str]  # "b as in boy"
    letter_link: tuple[str, ...]


_FIRST: Final = Bank(
    templates={
        "CARD": (
            "my card number is {CARD}",
            "sure the card is {CARD}",
            "it's a visa ending in {CARD4}",
            "okay so the number on the front is {CARD} and it expires {EXPIRY}",
        ),
        "CVV": ("the security code is {CVV}", "cvv {CVV}", "the three digits on the back are {CVV}"),
        "EXPIRY": ("it expires {EXPIRY}", "expiration date is {EXPIRY}"),
        "ACCOUNT": ("my account number is {ACCOUNT}", "account {ACCOUNT} please", "the routing number is {ACCOUNT}"),
        "SSN": (
            "my social security number is {SSN}",
            "last four of my social are {SSN4}",
            "ssn {SSN}",
        ),
        "PIN": ("my pin is {PIN}", "the pin number should be {PIN}"),
        "PHONE": (
            "you can call me at {PHONE}",
            "my phone number is {PHONE}",
            "the best number is {PHONE} thanks",
        ),
        "ZIP": ("my zip code is {ZIP}", "zip {ZIP}"),
        "EMAIL": (
            "my email is {EMAIL}",
            "sure it's {EMAIL}",
            "you can send it to {EMAIL} please",
        ),
        "DATE_OF_BIRTH": (
            "my date of birth is {DATE_OF_BIRTH}",
            "date of birth the {DATE_OF_BIRTH}",
            "i was born on {DATE_OF_BIRTH}",
        ),
        "REFERENCE": (
            "my confirmation number is {REFERENCE}",
            "the claim number is {REFERENCE}",
            "order number {REFERENCE} please",
        ),
        "PASSWORD": ("my password is {PASSWORD}",),
        "USERNAME": ("my username is {USERNAME}",),
        "IP": ("my ip address is {IP}",),
        "NAME": (
            "my name is {NAME}",
            "this is {NAME} calling about my bill",
            "the last name is {SPELLED}",
        ),
        "ADDRESS": ("i live at {ADDRESS}", "my address is {ADDRESS}"),
    },
    calm=(
        "i waited for twenty minutes and then one of them hung up",
        "we ordered two pizzas and three drinks",
        "they are open nine to five monday through friday",
        "it was five hundred dollars last year",
        "i have been a customer since nineteen ninety eight",
        "the meeting is at ten thirty",
        "one more thing can you help me with that",
        "i called two or three times about this already",
    ),
    first_names=("jane", "robert", "maria", "kevin", "linda", "ahmed"),
    last_names=("doe", "miller", "garcia", "thompson", "khan", "baker"),
    domains=("gmail dot com", "yahoo dot com", "outlook dot com", "example dot org"),
    streets=("maple street", "oak avenue", "lincoln road"),
    towns=("springfield illinois", "dayton ohio"),
    fillers=("um", "uh"),
    corrections=("no wait", "sorry"),
    letter_words={
        "a": "apple",
        "b": "bravo",
        "c": "cat",
        "d": "delta",
        "e": "echo",
        "f": "frank",
        "k": "kilo",
        "m": "mike",
    },
    letter_link=("as in",),
)

_SECOND: Final = Bank(
    templates={
        "CARD": (
            "okay let me get my wallet the long number across the middle of the card reads {CARD}",
            "yeah i'd like to pay with my mastercard it's {CARD}",
            "the one on file ends with {CARD4} is that still the card you have",
            "{CARD} and that's good through {EXPIRY}",
            "can you charge {CARD} instead because the other one was declined",
        ),
        "CVV": (
            "and the little code on the back is it's {CVV}",
            "right the c v v would be {CVV} i believe",
            "security code {CVV}",
        ),
        "EXPIRY": ("expiry is {EXPIRY}", "it's valid until {EXPIRY} i think", "exp date {EXPIRY}"),
        "ACCOUNT": (
            "the account i'm calling about is number {ACCOUNT}",
            "so my bank account that's {ACCOUNT} got charged twice",
            "yes it's the checking account ending in {ACCOUNT4}",
            "sort code first then account number {ACCOUNT}",
        ),
        "SSN": (
            "okay my social is {SSN} and i really don't like saying it out loud",
            "the last four digits of my social security number are {SSN4}",
            "you want my s s n it's {SSN}",
        ),
        "PIN": (
            "i think i set my pin to {PIN} last month",
            "the passcode on the account is {PIN}",
            "my telephone pin is {PIN} right",
        ),
        "PHONE": (
            "if we get cut off reach me on my cell {PHONE}",
            "the number i'm calling from is {PHONE}",
            "area code {PHONE}",
            "could you text me at {PHONE} when the technician is on the way",
        ),
        "ZIP": (
            "the billing zip code for that would be {ZIP}",
            "we're out in the country the postal code is {ZIP}",
        ),
        "EMAIL": (
            "yes please email the receipt to {EMAIL}",
            "the address on the profile should be {EMAIL} all lowercase",
            "{EMAIL}",
            "my wife's email that's {EMAIL} is the one you have on file",
        ),
        "DATE_OF_BIRTH": (
            "sure date of birth is {DATE_OF_BIRTH}",
            "my birthday is {DATE_OF_BIRTH} if you need it",
            "d o b {DATE_OF_BIRTH}",
        ),
        "REFERENCE": (
            "i have a ticket here and the case number says {REFERENCE}",
            "the booking reference is {REFERENCE} for two people",
            "it's policy number {REFERENCE} under my husband",
            "tracking number {REFERENCE} still shows nothing",
        ),
        "PASSWORD": ("the password i've been using is {PASSWORD}", "password's {PASSWORD}"),
        "USERNAME": ("i log in with the username {USERNAME}", "user name is {USERNAME}"),
        "IP": ("the router says its ip is {IP}", "it shows {IP} on the screen"),
        "NAME": (
            "hi there my name's {NAME} and i'm having trouble with my internet",
            "good morning you're speaking with {NAME}",
            "it's under my husband's name which is {NAME}",
            "that's spelled {SPELLED}",
        ),
        "ADDRESS": (
            "we just moved to {ADDRESS}",
            "please ship it to {ADDRESS}",
            "the service address is {ADDRESS}",
        ),
    },
    calm=(
        "i have been on hold for forty five minutes this is ridiculous",
        "there are four of us on the family plan and only two lines work",
        "it used to be twenty nine ninety nine and now it is thirty five dollars",
        "the technician came between eight and twelve and then again at two fifteen",
        "this has happened three times in two thousand twenty five alone",
        "one hundred percent i agree with you",
        "i need a twenty four seven support line not this",
        "can you give me one or two examples of that",
        "we have had the same policy for fifteen or sixteen years",
        "i paid two hundred and fifty dollars on the third of march",
        "the box has five lights and one of them is red",
        "it dropped from four hundred megabits to about thirty",
        "no i don't need anything else thank you so much",
        "i am really frustrated with the way this was handled",
    ),
    first_names=("priya", "winston", "guadalupe", "oleksandr", "beatrice", "tyrone", "siobhan", "mei"),
    last_names=("raghunathan", "okafor", "villanueva", "petrenko", "fitzgerald", "washington", "lindqvist", "zhao"),
    domains=("icloud dot com", "hotmail dot co dot uk", "northwind dash energy dot net", "a o l dot com", "fastmail dot f m"),
    streets=("willow creek drive", "east hampton boulevard", "saint james court", "old mill lane"),
    towns=("tucson arizona", "baton rouge louisiana", "portland maine", ""),
    fillers=("er", "hmm", "let me see", "uhm"),
    corrections=("sorry no", "actually", "no scratch that", "wait i mean"),
    letter_words={
        "a": "alpha", "b": "boy", "c": "charlie", "d": "david", "e": "edward", "f": "foxtrot", "g": "george",
        "h": "hotel", "k": "king", "m": "mary", "p": "peter", "r": "robert", "t": "tom", "x": "xray", "z": "zebra",
    },
    letter_link=("as in", "for", "like"),
)  # fmt: skip

_THIRD: Final = Bank(
    templates={
        "CARD": (
            "alright i've got the discover card in front of me {CARD}",
            "use the same credit card as last time i can read it to you {CARD}",
            "that would be the debit card {CARD} and the date on it is {EXPIRY}",
            "the old card number was {CARD} but they sent me a new one",
            "i see a charge on the card ending {CARD4} that i did not make",
        ),
        "CVV": (
            "on the back it says {CVV}",
            "let's see the verification code is {CVV}",
            "my cvc is {CVV} thank you",
        ),
        "EXPIRY": (
            "the expiration on that is {EXPIRY}",
            "the card expires in {EXPIRY}",
            "good until {EXPIRY}",
        ),
        "ACCOUNT": (
            "it says account number right here on the bill {ACCOUNT}",
            "could you look up account {ACCOUNT} for me",
            "i want to move the money to my savings account {ACCOUNT}",
            "the routing number at my bank is {ACCOUNT}",
        ),
        "SSN": (
            "i'll give you my social it's {SSN}",
            "social security {SSN}",
            "the last four are {SSN4} of my social",
        ),
        "PIN": (
            "the four digit pin we picked was {PIN}",
            "is it the pin you want because that is {PIN}",
            "pin {PIN}",
        ),
        "PHONE": (
            "my daughter's number is {PHONE} she can answer too",
            "the callback number should be {PHONE}",
            "please dial {PHONE} and ask for extension two",
            "i was calling from {PHONE} a minute ago",
        ),
        "ZIP": ("it's in {ZIP} that's the zip code", "postcode is {ZIP}", "the zip on the card is {ZIP}"),
        "EMAIL": (
            "you can reach my assistant over email at {EMAIL}",
            "i never got it can you resend to {EMAIL}",
            "my email address used to be {EMAIL} but i lost access",
            "that's {EMAIL} got it",
        ),
        "DATE_OF_BIRTH": (
            "my son was born {DATE_OF_BIRTH}",
            "birth date {DATE_OF_BIRTH}",
            "my date of birth uh {DATE_OF_BIRTH}",
        ),
        "REFERENCE": (
            "i was given the reference number {REFERENCE} yesterday",
            "the order id in my email is {REFERENCE}",
            "reservation code {REFERENCE} leaving on friday",
            "he filed a claim and the number is {REFERENCE}",
        ),
        "PASSWORD": (
            "i tried the password {PASSWORD} and it did not work",
            "my old password was {PASSWORD}",
        ),
        "USERNAME": ("my user id is {USERNAME} i think", "the login is {USERNAME}"),
        "IP": ("i typed in {IP} and got an error", "the address of the printer is {IP}"),
        "NAME": (
            "yes hello my full name is {NAME}",
            "you can put it under the name {NAME}",
            "this is {NAME} speaking",
            "my surname is spelled {SPELLED}",
        ),
        "ADDRESS": (
            "send the replacement to {ADDRESS}",
            "our new home address will be {ADDRESS}",
            "the technician should come to {ADDRESS}",
        ),
    },
    calm=(
        "your website says three to five business days and it has been eleven",
        "i've got two kids and one more on the way",
        "my flight was at six forty five and we left at nine twenty",
        "she told me it would take fifteen minutes tops",
        "we pay eighty nine dollars a month for this",
        "that's the second or third time this month",
        "nine times out of ten it works fine",
        "it is only seven point five miles from here",
        "i bought it in twenty nineteen and it never broke",
        "they offered me ten percent off for six months",
        "you have been very helpful have a great day",
        "i would like to cancel my subscription please",
        "the channel is four oh four on my box",
        "well that is one of the worst answers i have heard",
    ),
    first_names=("anneliese", "darnell", "xiomara", "rajesh", "fiona", "kwame", "ingrid", "tomasz"),
    last_names=("blackwood", "castellanos", "mukherjee", "osei", "halvorsen", "wisniewski", "delacroix", "pham"),
    domains=("proton dot me", "comcast dot net", "brightwater underscore labs dot io", "my company dot com", "b t internet dot com"),
    streets=("cedar ridge lane", "north fifth avenue", "harbor view terrace", "jackson street"),
    towns=("boulder colorado", "salt lake city utah", "charleston south carolina", ""),
    fillers=("ah", "hold on", "erm", "so"),
    corrections=("oops", "i mean", "no sorry", "no no wait"),
    letter_words={
        "a": "adam", "c": "cookie", "f": "fish", "j": "juliet", "l": "lima", "n": "nancy", "o": "oscar", "q": "queen",
        "s": "sugar", "v": "victor", "w": "whiskey", "y": "yellow",
    },
    letter_link=("as in", "for", "like in"),
)  # fmt: skip

_FOURTH: Final = Bank(
    templates={
        "CARD": (
            "give me a second to find it okay here goes {CARD}",
            "my visa number {CARD} expiring {EXPIRY}",
            "put it on the card ending in {CARD4} please",
            "he charged a card i don't recognize it ends in {CARD4}",
            "the corporate card is {CARD} but don't use that one",
        ),
        "CVV": (
            "the code you're asking for is the three digits on the back right {CVV}",
            "cvv number {CVV}",
            "and the security number is {CVV}",
        ),
        "EXPIRY": ("expiration {EXPIRY}", "it runs out it expires {EXPIRY}", "the expiry date says {EXPIRY}"),
        "ACCOUNT": (
            "so i'm looking at my statement and the account number on it is {ACCOUNT}",
            "my acct number is {ACCOUNT}",
            "please take it from checking account {ACCOUNT}",
            "yeah account number is gonna be {ACCOUNT}",
        ),
        "SSN": (
            "the social for the account holder is {SSN}",
            "ssn is {SSN}",
            "last four of the social {SSN4}",
        ),
        "PIN": ("my pin code is {PIN}", "i entered pin {PIN} twice", "the pin for the debit card was {PIN}"),
        "PHONE": (
            "it's the landline {PHONE}",
            "yes my mobile is {PHONE} and i'm home after five",
            "she left me the number {PHONE}",
            "contact number {PHONE} anytime",
        ),
        "ZIP": ("zip code {ZIP} near the river", "i moved so now it's zip {ZIP}"),
        "EMAIL": (
            "just send the form to {EMAIL} and i'll sign it",
            "so it's {EMAIL}",
            "the email on file is {EMAIL} correct",
            "username no sorry email is {EMAIL}",
        ),
        "DATE_OF_BIRTH": (
            "okay birthday {DATE_OF_BIRTH}",
            "and my date of birth that's {DATE_OF_BIRTH}",
            "born {DATE_OF_BIRTH}",
        ),
        "REFERENCE": (
            "the email says confirmation code {REFERENCE}",
            "i have claim number {REFERENCE} open with you",
            "for invoice {REFERENCE} i was billed twice",
            "my member id would be {REFERENCE}",
        ),
        "PASSWORD": ("it keeps saying my password {PASSWORD} is wrong", "the wifi password is {PASSWORD}"),
        "USERNAME": ("my username is {USERNAME} all one word", "login {USERNAME}"),
        "IP": ("the camera is on {IP}", "can you ping {IP} from there"),
        "NAME": (
            "my name is {NAME} and i called yesterday",
            "hi this is {NAME}",
            "the name on the account is {NAME}",
            "last name is {SPELLED}",
        ),
        "ADDRESS": (
            "i'm at {ADDRESS}",
            "the delivery address is {ADDRESS}",
            "you sent it to {ADDRESS} which is my old place",
        ),
    },
    calm=(
        "we were without power for two days and three nights",
        "i only ordered one but you sent me four",
        "my bill went up from sixty five to eighty two dollars",
        "call center hours are eight to six on weekdays",
        "it took five calls and two chats to get here",
        "that was back in two thousand and nineteen",
        "the flight leaves at seven fifteen tomorrow",
        "i'm a hundred percent sure i returned it",
        "in about ten or fifteen minutes it reboots",
        "my plan has twelve gigabytes and i used three",
        "thanks for nothing you people are awful",
        "great that solved it thank you",
    ),
    first_names=("marguerite", "desmond", "yolanda", "vikram", "aoife", "chidi", "solveig", "pavel"),
    last_names=("abernathy", "dominguez", "banerjee", "mensah", "gustafsson", "kowalczyk", "beaumont", "nguyen"),
    domains=("zoho dot com", "verizon dot net", "greenfield dot co dot uk", "riverside school dot org", "m s n dot com"),
    streets=("pine ridge drive", "south third street", "lake view court", "madison avenue"),
    towns=("omaha nebraska", "las cruces new mexico", "albany new york", ""),
    fillers=("eh", "uh huh", "okay", "let's see"),
    corrections=("sorry", "no wait", "correction", "hang on no"),
    letter_words={
        "b": "baker", "d": "dog", "e": "easy", "g": "golf", "h": "henry", "i": "india", "k": "kite", "m": "monkey",
        "p": "papa", "r": "romeo", "t": "tango", "u": "uncle",
    },
    letter_link=("as in", "for", "is for", "like"),
)  # fmt: skip

_FIFTH: Final = Bank(
    templates={
        "CARD": (
            "ready when you are {CARD}",
            "it's an american express {CARD} expires {EXPIRY}",
            "my daughter used the card that ends in {CARD4} without asking",
            "take the payment from card number {CARD} today",
            "the digits on my debit card are {CARD}",
        ),
        "CVV": (
            "then the cvv code is {CVV}",
            "i turned it over and the security code says {CVV}",
            "cvc {CVV} i think",
        ),
        "EXPIRY": ("the expiration date on it reads {EXPIRY}", "expires {EXPIRY}", "valid thru {EXPIRY}"),
        "ACCOUNT": (
            "pull up account number {ACCOUNT} for my mother",
            "the bank account you should debit is {ACCOUNT}",
            "my old account was {ACCOUNT} before the merger",
            "here's the routing number {ACCOUNT}",
        ),
        "SSN": (
            "my wife's social security number is {SSN}",
            "social ending in {SSN4}",
            "sure thing my ssn would be {SSN}",
        ),
        "PIN": (
            "my secret pin is {PIN} don't tell anyone",
            "when i type the pin {PIN} it gets rejected",
            "pin number {PIN}",
        ),
        "PHONE": (
            "have the driver call {PHONE} when he is close",
            "phone number on the account should be {PHONE}",
            "i can be reached at {PHONE} until noon",
            "it's {PHONE} that's my cell phone",
        ),
        "ZIP": ("the zip code here is {ZIP}", "{ZIP} is my zip code", "shipping to postal code {ZIP}"),
        "EMAIL": (
            "forward everything to {EMAIL} would you",
            "the email i signed up with was {EMAIL}",
            "oh it's {EMAIL} not the other one",
            "email me at {EMAIL}",
        ),
        "DATE_OF_BIRTH": (
            "date of birth {DATE_OF_BIRTH}",
            "he was born on {DATE_OF_BIRTH}",
            "my birthday's coming up it's {DATE_OF_BIRTH}",
        ),
        "REFERENCE": (
            "the representative gave me case number {REFERENCE}",
            "i'm looking for order {REFERENCE} which never came",
            "my reservation is under confirmation {REFERENCE}",
            "policy {REFERENCE} lapsed last month",
        ),
        "PASSWORD": ("i set the password to {PASSWORD}", "my password is still {PASSWORD}"),
        "USERNAME": ("username {USERNAME}", "i think my login is {USERNAME}"),
        "IP": ("the error mentions {IP}", "my static ip is {IP}"),
        "NAME": (
            "hello my name is {NAME} i have a question",
            "you are speaking with {NAME}",
            "the account holder is {NAME}",
            "my first name is {NAME}",
            "last name spelled {SPELLED}",
        ),
        "ADDRESS": (
            "the package went to {ADDRESS} by mistake",
            "my mailing address is {ADDRESS}",
            "can you send someone out to {ADDRESS}",
        ),
    },
    calm=(
        "it has been four weeks and i have heard nothing",
        "two of the chairs were broken and one was missing",
        "you charged me forty nine ninety nine instead of thirty nine",
        "our appointment was for eleven thirty and nobody came",
        "ever since twenty twenty two the service has gone downhill",
        "i would give it a seven out of ten",
        "we waited one hour and twenty minutes at the counter",
        "the first two months were free and then it doubled",
        "it cost me a thousand dollars to fix",
        "my kids are eight and eleven years old",
        "okay that makes sense thanks for explaining it",
        "this is the worst company i have ever dealt with",
        "i will call you back in five minutes",
    ),
    first_names=("henrietta", "malik", "consuelo", "dmitri", "niamh", "emeka", "astrid", "hiroshi"),
    last_names=("montgomery", "escobar", "chatterjee", "adeyemi", "sorensen", "nowicki", "lafontaine", "tran"),
    domains=("ymail dot com", "cox dot net", "silver lake dental dot com", "oakwood dash homes dot co dot uk", "g m x dot de"),
    streets=("birch hollow road", "west ninth street", "ocean view boulevard", "washington avenue"),
    towns=("tulsa oklahoma", "fort wayne indiana", "burlington vermont", ""),
    fillers=("umm", "ehm", "okay so", "where was i"),
    corrections=("no", "sorry i meant", "no make that", "oh wait"),
    letter_words={
        "b": "banana", "c": "carol", "d": "daniel", "f": "fred", "g": "green", "h": "harry", "j": "jack", "l": "larry",
        "n": "november", "r": "red", "s": "sierra", "w": "william",
    },
    letter_link=("as in", "for", "like"),
)  # fmt: skip

TUNING: Final = (_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH)

HELD_OUT: Final = Bank(
    templates={
        "CARD": (
            "yeah the card is going to be {CARD}",
            "i can give you my husband's mastercard {CARD} exp {EXPIRY}",
            "there's a payment from card {CARD4} on the ninth that isn't mine",
            "one second it's in my purse {CARD}",
            "does the credit card number {CARD} still show up on your side",
        ),
        "CVV": (
            "three digits on the back would be {CVV}",
            "sure cvv is {CVV}",
            "the card security code {CVV}",
        ),
        "EXPIRY": ("and it's expiring {EXPIRY}", "with an expiration of {EXPIRY}", "exp {EXPIRY}"),
        "ACCOUNT": (
            "i'm calling on account number {ACCOUNT} about my service",
            "account {ACCOUNT} is my business account",
            "they told me to give you the account id {ACCOUNT}",
            "deposit it in the checking account that ends in {ACCOUNT4}",
        ),
        "SSN": (
            "do you need the social okay {SSN}",
            "the last four of my ssn {SSN4}",
            "my social security is {SSN}",
        ),
        "PIN": (
            "i've forgotten whether my pin is {PIN} or something else",
            "the access code we agreed on is {PIN}",
            "use pin {PIN}",
        ),
        "PHONE": (
            "try my work number {PHONE} first",
            "you called me from {PHONE} this morning",
            "my telephone number is {PHONE}",
            "you can text {PHONE} any time",
        ),
        "ZIP": ("we live in zip code {ZIP}", "billing zip {ZIP}", "it's zip code {ZIP} i believe"),
        "EMAIL": (
            "it was sent to {EMAIL} but that's misspelled",
            "please update my email to {EMAIL}",
            "okay {EMAIL} that's the one",
            "my business email would be {EMAIL}",
        ),
        "DATE_OF_BIRTH": (
            "my birth date is {DATE_OF_BIRTH}",
            "sure that's {DATE_OF_BIRTH} for date of birth",
            "i was born {DATE_OF_BIRTH}",
        ),
        "REFERENCE": (
            "the confirmation is {REFERENCE} for both of us",
            "your colleague opened ticket number {REFERENCE} for me",
            "serial number is {REFERENCE}",
            "can you check on claim {REFERENCE}",
        ),
        "PASSWORD": ("the password should be {PASSWORD}", "i changed my password to {PASSWORD} today"),
        "USERNAME": ("the username on it is {USERNAME}", "my user name was {USERNAME} before"),
        "IP": ("my computer is {IP} on the network", "i get blocked from {IP}"),
        "NAME": (
            "good afternoon this is {NAME} calling",
            "the booking is under the name {NAME}",
            "my name is {NAME} with the accounting team",
            "my last name is {SPELLED}",
        ),
        "ADDRESS": (
            "they delivered it to {ADDRESS}",
            "my billing address is {ADDRESS}",
            "i am moving to {ADDRESS} next month",
        ),
    },
    calm=(
        "you said two to four days and this is day six",
        "i have three phones and a tablet on this plan",
        "last time it was twenty dollars and now it is twenty four fifty",
        "i was told between one and three in the afternoon",
        "we have been customers since two thousand and four",
        "it works maybe one time out of five",
        "i sat there for an hour and ten minutes",
        "it is a thirteen hundred dollar phone",
        "they are two different orders one came and one did not",
        "you guys are a ten out of ten thank you",
        "that is totally unacceptable i want to speak to someone else",
        "no that is everything bye",
    ),
    first_names=("philippa", "jermaine", "esperanza", "igor", "saoirse", "tunde", "freya", "kenji"),
    last_names=("hathaway", "zamora", "venkataraman", "boateng", "eriksen", "lewandowski", "moreau", "huynh"),
    domains=("aol dot com", "charter dot net", "blue harbor studio dot com", "stonebridge dot co dot uk", "w e b dot de"),
    streets=("chestnut grove road", "east seventh street", "river bend drive", "franklin avenue"),
    towns=("akron ohio", "santa fe new mexico", "bangor maine", ""),
    fillers=("uhh", "you know", "one sec", "what is it"),
    corrections=("no", "oh sorry", "nope", "i mean to say"),
    letter_words={
        "a": "able", "b": "boston", "d": "denver", "e": "elephant", "g": "gary", "k": "kevin", "l": "linda",
        "m": "michael", "p": "paul", "r": "rachel", "t": "thomas", "v": "victory",
    },
    letter_link=("as in", "for", "like"),
)  # fmt: skip
