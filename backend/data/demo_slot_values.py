"""Rooms, devices and things to say that fill the open places of the demo's sentence templates, in English and Spanish."""

from __future__ import annotations

LANGUAGES = ("en", "es")

NUMBERS: dict[str, list[str]] = {
    "brightness": ["10", "20", "25", "30", "40", "50", "60", "70", "75", "80", "90", "100"],
    "position": ["10", "20", "25", "30", "50", "70", "75", "90"],
    "fan_speed": ["20", "25", "40", "50", "60", "75", "100"],
    "volume": ["5", "10", "20", "30", "40", "50", "60", "80"],
    "volume_step_up": ["5", "10", "15", "20", "25"],
    "volume_step_down": ["5", "10", "15", "20", "25"],
    "temperature": ["16", "17", "18", "19", "20", "21", "22", "23", "24", "25"],
    "color_temperature": ["2000", "2700", "3000", "4000", "5000", "6500"],
    "timer_hours": ["1", "2", "3", "4", "5", "8", "12"],
    "timer_minutes": ["2", "3", "5", "10", "12", "15", "20", "25", "40", "45"],
    "timer_seconds": ["10", "15", "20", "30", "40", "45", "50"],
}

WORDS: dict[str, dict[str, list[str]]] = {
    "en": {
        "area": [
            "kitchen",
            "living room",
            "bedroom",
            "bathroom",
            "office",
            "garage",
            "hallway",
            "dining room",
            "attic",
        ],
        "floor": ["ground", "first", "second", "upper", "top"],
        "zone": ["school", "work", "the gym", "home"],
        "message": ["dinner is ready", "time to leave", "the movie starts now"],
        "search_query": ["jazz", "the beatles", "abbey road", "blue planet", "morning news", "star wars", "mozart"],
        "timer_name": ["pizza", "laundry", "pasta", "tea", "bread", "nap", "homework"],
        "timer_command": [
            "turn off the lights",
            "open the blinds",
            "lock the door",
            "pause the music",
            "turn on the fan",
        ],
        "shopping_list_item": ["milk", "eggs", "bread", "apples", "coffee", "rice", "olive oil", "batteries"],
        "todo_list_item": ["water the plants", "call the dentist", "pay the rent", "fix the bike", "buy stamps"],
    },
    "es": {
        "area": ["cocina", "salón", "dormitorio", "baño", "oficina", "garaje", "pasillo", "comedor", "terraza"],
        "floor": ["baja", "primera", "segunda", "superior", "de arriba"],
        "zone": ["el colegio", "el trabajo", "el gimnasio", "casa"],
        "message": ["la cena está lista", "es hora de salir", "empieza la película"],
        "search_query": ["jazz", "los beatles", "flamenco", "planeta azul", "las noticias", "star wars", "mozart"],
        "timer_name": ["pizza", "lavadora", "pasta", "té", "pan", "siesta", "deberes"],
        "timer_command": ["apaga las luces", "abre las persianas", "pausa la música", "enciende el ventilador"],
        "shopping_list_item": ["leche", "huevos", "pan", "manzanas", "café", "arroz", "aceite", "pilas"],
        "todo_list_item": ["regar las plantas", "llamar al dentista", "pagar el alquiler", "arreglar la bici"],
    },
}

NAMES: dict[str, dict[str, list[str]]] = {
    "en": {
        "light": ["desk lamp", "floor lamp", "ceiling light", "reading lamp", "night light"],
        "switch": ["coffee maker", "heater", "christmas tree", "water pump"],
        "fan": ["ceiling fan", "tower fan", "desk fan"],
        "media_player": ["tv", "speaker", "radio", "soundbar", "stereo"],
        "climate": ["thermostat", "air conditioner", "radiator"],
        "cover": ["left curtain", "garage door", "roller shutter", "patio awning"],
        "valve": ["water valve", "garden valve"],
        "lock": ["front door", "back door", "garden gate"],
        "binary_sensor": ["motion sensor", "phone charger", "basement window"],
        "sensor": ["outdoor humidity", "energy meter", "air quality"],
        "todo": ["groceries", "chores", "packaging", "weekend"],
        "vacuum": ["robot vacuum", "roomba", "dusty"],
        "lawn_mower": ["garden robot", "mowbot"],
        "scene": ["party", "movie night", "sunset", "good morning"],
        "script": ["bedtime routine", "leaving home"],
        "button": ["doorbell chime", "reset button"],
        "person": ["alice", "peter", "maria", "john"],
        "weather": ["london", "my town", "paris"],
    },
    "es": {
        "light": ["lámpara de mesa", "lámpara de pie", "luz del techo", "lámpara de lectura", "luz de noche"],
        "switch": ["cafetera", "calentador", "árbol de navidad", "bomba de agua"],
        "fan": ["ventilador de techo", "ventilador de torre", "ventilador de mesa"],
        "media_player": ["tele", "altavoz", "radio", "barra de sonido", "equipo de música"],
        "climate": ["termostato", "aire acondicionado", "radiador"],
        "cover": ["cortina izquierda", "puerta del garaje", "persiana grande", "toldo del patio"],
        "valve": ["válvula de agua", "válvula del jardín"],
        "lock": ["puerta principal", "puerta trasera", "verja del jardín"],
        "binary_sensor": ["sensor de movimiento", "cargador del móvil", "ventana del sótano"],
        "sensor": ["humedad exterior", "contador de luz", "calidad del aire"],
        "todo": ["tareas", "recados", "maleta", "fin de semana"],
        "vacuum": ["robot aspirador", "roomba", "conga"],
        "lawn_mower": ["robot del jardín", "cortacésped"],
        "scene": ["fiesta", "noche de cine", "atardecer", "buenos días"],
        "script": ["rutina de dormir", "salir de casa"],
        "button": ["timbre", "botón de reinicio"],
        "person": ["alicia", "pedro", "maría", "juan"],
        "weather": ["madrid", "mi ciudad", "sevilla"],
    },
}
