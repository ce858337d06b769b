"""The scanner page: a small web client of the engine for a courier's phone-sized screen."""
