import pytest

from models.quoted import without_quotes


@pytest.mark.parametrize(
    ("mail", "own"),
    [
        ("Great!\n\nOn Tue, 3 Mar 2026 Acme Support wrote:\n> We are sorry.\n> It is lost.", "Great!"),
        (
            "Great!\n\nOn Tue, Mar 3, 2026 at 10:00 AM Acme Support\n<help@example.com> wrote:\n\nWe are sorry.",
            "Great!",
        ),
        ("Perfect.\n\n-----Original Message-----\nFrom: Sam\nSubject: Complaint, no refund", "Perfect."),
        ("Perfect.\n\n________________________________\nFrom: Sam <s@example.com>\nSent: Monday\n\nlost", "Perfect."),
        ("Perfect.\nFrom: Sam\nSent: Monday\nTo: Jo\nSubject: x\n\nlost", "Perfect."),
        ("Danke!\nAm 03.03.2026 um 10:00 schrieb Acme <a@example.com>:\n> leider", "Danke!"),
        ("Merci\nLe mar. 3 mars 2026 à 10:00, Acme <a@example.com> a écrit :\n> perdu", "Merci"),
        ("Thanks\n\nSent from my iPhone", "Thanks"),
        ("Thanks\n\n-- \nJo Doe\n+1 555", "Thanks"),
        ("It is broken.\n\nKind regards,\nJo Doe\n12 Park Lane\n", "It is broken."),
        ("It is broken.\nCheers\nJo Doe Ltd.\nyour friend in all things", "It is broken."),
        ("##- Please type your reply above this line -##\nlost", ""),
        ("> We are sorry.\n> It is lost.", ""),
        ("Thanks\r\n> lost\r\n", "Thanks"),
        ("Hi\n> lost\n>> is it lost?\nNo!", "Hi\nNo!"),
        ("Grazie\nDa: Mario\nInviato: oggi\nA: Jo\nOggetto: x\n\nperso", "Grazie"),
        ("Thanks\nFrom: Sam <s@example.com>\nDate: Monday\nTo: Jo\n\nlost", "Thanks"),
        ("Thanks\nSent from Outlook for iOS", "Thanks"),
        ("Thanks\nSent from my phone\nplease excuse any typos in this", "Thanks"),
        ("Thanks\nSent from my Galaxy.\nThis message is confidential.\nIf it is not for you, delete it.", "Thanks"),
        ("Thanks\n-- \nAcme Ltd\nWe have been making kettles for everybody since 1921.", "Thanks"),
        ("Hi\nRegards\nJo\nIf you are not the intended recipient, you must delete this message at once.", "Hi"),
    ],
)
def test_what_is_quoted_and_the_signature_are_cut(mail: str, own: str) -> None:
    assert without_quotes(mail) == own


def test_answers_between_quoted_lines_stay() -> None:
    mail = "On 3 Mar 2026 at 10:00 Acme wrote:\n> Did it arrive?\nNo!\n> Shall we send another?\nYes please"
    assert without_quotes(mail) == "No!\nYes please"


@pytest.mark.parametrize(
    "mail",
    [
        "On Monday I rang and nobody answered.\nFrom: this day on I will not buy again",
        "On 3 March 2026 I wrote:\nwhere is my parcel",
        "Cheers\nbut the thing is that it still does not work and I want my money back",
        "It is broken.\nRegards\nP.S. I am still waiting for the money.",
        "Booking details:\nFrom: London\nTo: Paris\nThe train was cancelled",
        "My trip\nFrom: Leeds\nTo: York\nDate: 3 May\n\nit was wonderful",
        "Name: John Smith\nSubject: Broken kettle\nTo: Support\nMessage: it broke",
        "B: How can I help?\nA: My line is dead.\nA: I am furious.",
        "Hi,\nSent via Royal Mail on 3 May and still not here.\nI want my money back.\nJohn",
        "Hi,\nSent from Leeds on Monday and it arrived smashed",
        "Hi\nSent from my iPhone\nMy order is broken and nobody answers.",
        "Hi\nSent from my iPhone\nPlease excuse my language, but this is a disgrace.",
        "It arrived.\n--\nbut it is broken and nobody answers",
        "thanks for that\ncheers\nstill no hot water though",
        "Thank you.\nKind regards\nTom\nPS my refund is still missing",
        ">> Thanks for calling.\n>> My phone is broken.\nagent is typing",
        "hello\nstill waiting\n>:(",
        "Dear all,\n\nit works - thank you.",
        "",
    ],
)
def test_what_only_looks_like_it_stays(mail: str) -> None:
    assert without_quotes(mail) == mail
