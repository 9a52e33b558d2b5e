"""What hidden tests of several sets share: a reader of digits, and digits that nobody trained on."""
